"""What is sent with a job."""

import subprocess
import sys
from pathlib import Path

import pytest
from job_cluster import OUT, URL, Cluster
from rich.console import Console

from service.errors import UserError
from service.jobs.package import SHIP, START_FILE, packed
from service.jobs.submit import submit
from service.version import code_version


def test_the_tracking_server_goes_along_but_no_password(
    cluster: Cluster, sweep_file: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    submit(sweep_file, URL, OUT, [], console, detach=True)
    assert cluster.sent[0]["runtime_env"]["env_vars"]["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@db/runs")
    with pytest.raises(UserError, match="would be seen by all") as caught:
        submit(sweep_file, URL, "/other", [], console, detach=True)
    assert "secret" not in str(caught.value) and len(cluster.sent) == 1


def test_the_code_that_is_sent_is_whole(tmp_path: Path) -> None:
    with packed("small.yaml", OUT, SHIP, "name: small\n", {}) as package:
        code = Path(package.runtime_env["py_modules"][0]).parent
        command = ["sh", START_FILE, "table", "none", "trials"]
        job, environment = (
            package.runtime_env["working_dir"],
            {"PYTHONPATH": str(code), "PATH": "/usr/bin:/bin"},
        )
        refused = subprocess.run(
            command, cwd=job, env=environment, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, "nor is there any other" in refused.stderr) == (2, True), refused.stderr
        asked = "import service.version as v; print(v.__file__, v.code_version())"
        answer = subprocess.run(
            [sys.executable, "-c", asked],
            cwd=job,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == f"{code}/service/version.py {code_version()}"


def test_a_driver_does_not_stand_in_the_folder_of_its_job(tmp_path: Path) -> None:
    """A second node of Ray's on the same machine removes that folder, and lays it out anew."""
    with packed("small.yaml", OUT, SHIP, "name: small\n", {}) as package:
        job = Path(package.runtime_env["working_dir"])
        (job / START_FILE).write_text(f'rm -r "{job}"; pwd; echo "$2"\n')
        done = subprocess.run(
            package.entrypoint, shell=True, cwd=job, capture_output=True, text=True, check=True
        )
    assert done.stdout.splitlines() == ["/", f"{job}/small.yaml"] and not done.stderr


def test_a_node_without_our_needs_says_so(tmp_path: Path) -> None:
    with packed("small.yaml", OUT, SHIP, None, {}) as package:
        script = Path(package.runtime_env["working_dir"], START_FILE)
        script.write_text(script.read_text().replace(sys.executable, "/nowhere/python"))
        bare = {"PATH": str(tmp_path)}
        done = subprocess.run(["/bin/sh", str(script)], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "polychrony: no Python on this node has ray" in done.stderr
