"""What `polychrony slurm` writes, and what it refuses; benchmarks/slurm.py runs it on nodes."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from job_cluster import one_line
from rich.console import Console
from typer.testing import CliRunner

from service.cli import app
from service.commands.driver_process import driver_of, interrupt_job
from service.commands.slurm import Job, script, settings
from service.commands.stop import stop_here
from service.errors import SweepError, UserError
from service.storage.process import this_owner

ROOT = Path(__file__).resolve().parents[3]
SETUP = '# source "$HOME/polychrony/bin/activate"'
USAGE = "?usage: sbatch sweep.sbatch FILE DIR"


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["slurm", *arguments, "--print"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_the_script_in_the_folder_is_what_the_command_writes() -> None:
    ours = script(Job(), settings(f"${{1:{USAGE}}}", f"${{2:{USAGE}}}", setup=SETUP))
    assert (ROOT / "deploy" / "slurm" / "sweep.sbatch").read_text() == ours


def test_what_is_asked_stands_in_the_lines_that_slurm_reads(sweep_file: Path) -> None:
    asked = ("--nodes", "3", "--cpus", "8", "--time", "2-00", "--partition", "a,b", "--gpus", "h200:2")
    text = printed(str(sweep_file), *asked)
    lines = dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", text, re.MULTILINE))
    assert lines["job-name"] == "polychrony-small" and lines["nodes"] == "3" and lines["cpus-per-task"] == "8"
    assert lines["time"] == "2-00" and lines["partition"] == "a,b" and lines["gpus-per-node"] == "h200:2"
    assert "\n#SBATCH --requeue\n" in text and text.index("trap") < text.index("# Settings")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--time", "an hour"),
        ("--time", "10\n#SBATCH --uid=0"),
        ("--partition", "a b"),
        ("--partition", "-x"),
        ("--gpus", "2;reboot"),
        ("--container", "nosuchimage.sif"),
    ],
)
def test_what_slurm_could_not_take_is_refused(sweep_file: Path, option: str, value: str) -> None:
    with pytest.raises(UserError, match=option):
        CliRunner().invoke(app, ["slurm", str(sweep_file), option, value, "--print"], catch_exceptions=False)


def test_names_that_could_be_commands_stay_text(tmp_path: Path, sweep_file: Path) -> None:
    """A shell that reads the settings gets the paths as they are, whatever characters they have."""
    folder = tmp_path / "a $(touch hacked) 'b' \"c\""
    folder.mkdir()
    file = folder / "x.yaml"
    file.write_text(sweep_file.read_text())
    image = folder / "image;touch hacked.sif"
    image.touch()
    text = printed(
        str(file), "--out", str(folder / "runs"), "--set", "search.trials=4", "--container", str(image)
    )
    tell = 'printf "%s\\0" "$sweep" "$out" "${options[@]}" "${run[@]}"\n'
    done = subprocess.run(
        ["bash", "-c", text.partition("# What follows")[0] + tell],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ, "SLURM_JOB_ID": "1"},
    )  # fmt: skip
    said = done.stdout.split("\0")
    assert said[:4] == [str(file), str(folder / "runs"), "--set", "search.trials=4"] and str(image) in said
    assert not (tmp_path / "hacked").exists()


def test_a_container_sees_the_sweep_and_its_folder(sweep_file: Path, tmp_path: Path) -> None:
    (tmp_path / "p.sif").touch()
    given = ("--container", str(tmp_path / "p.sif"), "--out", str(tmp_path / "runs"))
    text = printed(str(sweep_file), *given)
    assert f"run=(apptainer exec --bind {tmp_path} --bind {tmp_path}/runs {tmp_path}/p.sif)" in text
    text = printed(str(sweep_file), "--container", "docker://host/p:1", *given[2:])
    assert f"--bind {tmp_path}/runs docker://host/p:1)" in text
    with pytest.raises(UserError, match="without commas"):
        printed(str(sweep_file), *given[:2], "--out", str(tmp_path / "a,b"))


def test_a_path_that_cant_be_printed_is_refused(tmp_path: Path, sweep_file: Path) -> None:
    out = str(tmp_path / "a\nb")
    with pytest.raises(UserError, match="can't be printed"):
        CliRunner().invoke(app, ["slurm", str(sweep_file), "--out", out, "--print"], catch_exceptions=False)


def test_a_job_ends_with_a_node_and_is_queued_again(sweep_file: Path) -> None:
    asked = [line for line in printed(str(sweep_file)).splitlines() if line.startswith("#SBATCH")]
    assert "#SBATCH --requeue" in asked and not any("no-kill" in line for line in asked)


def test_no_secret_is_in_the_script(sweep_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_TOKEN", "MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hush-hush")
    text = printed(str(sweep_file))
    assert "hush-hush" not in text and "RAY_AUTH_MODE=token" in text


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing(sweep_file: Path) -> None:
    text = printed(str(sweep_file), "--set", "search.trials=4", "--time", "30")
    done = subprocess.run(["shellcheck", "-"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_is_submitted(sweep_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "sbatch", "echo '17;somewhere'")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["slurm", str(sweep_file)], catch_exceptions=False)
    assert "small is SLURM job 17" in done.stdout and (tmp_path / "small.sbatch").exists()
    (tmp_path / "small.sbatch").write_text("# a person's own")
    with pytest.raises(UserError, match="with another text"):
        CliRunner().invoke(app, ["slurm", str(sweep_file)], catch_exceptions=False)
    assert (tmp_path / "small.sbatch").read_text() == "# a person's own"


def test_a_refusal_of_slurms_is_said(
    sweep_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "sbatch", "echo 'Invalid account' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SweepError, match="Invalid account"):
        CliRunner().invoke(app, ["slurm", str(sweep_file)], catch_exceptions=False)


def test_without_slurm_the_script_can_still_be_had(
    sweep_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="--print"):
        CliRunner().invoke(app, ["slurm", str(sweep_file)], catch_exceptions=False)
    assert not (tmp_path / "small.sbatch").exists()


def of_another_host(folder: Path, job: str) -> None:
    folder.mkdir()
    owner = {"host": "n1", "process": ["other", "pid:[1]", "1", "1"], "slurm": job}
    (folder / ".driver.json").write_text(json.dumps(owner))


def test_a_driver_says_which_job_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "slurm" not in json.loads(this_owner())
    monkeypatch.setenv("POLYCHRONY_SLURM_JOB", "17")
    assert json.loads(this_owner())["slurm"] == "17"


def test_a_job_is_told_to_stop_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    said = tmp_path / "said"
    program(tmp_path / "bin", "scancel", f'echo "$@" > {said}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "small"
    of_another_host(folder, "17")
    (folder / "sweep.yaml").write_text("name: small\ndata: {name: digits}\nsearch: {trials: 3}\n")
    runs = iter([True, True, False])
    monkeypatch.setattr("service.commands.stop.is_running", lambda folder: True)
    monkeypatch.setattr("service.commands.driver_process.is_running", lambda folder: next(runs))
    stop_here("small", folder, console)
    assert said.read_text() == "--signal=INT --batch 17\n" and "small is stopped" in one_line(console)


def test_a_job_that_waits_is_named(tmp_path: Path, console: Console) -> None:
    of_another_host(tmp_path / "small", "17")
    stop_here("small", tmp_path / "small", console)
    assert "`scancel 17` ends it" in one_line(console)


def test_where_there_is_no_slurm_the_command_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SweepError, match="scancel --signal=INT --batch 17"):
        interrupt_job("17", tmp_path)


@pytest.mark.parametrize("job", ["--all", "17 18", "", None, ["17"]])
def test_what_is_no_number_of_a_job_never_reaches_slurm(tmp_path: Path, job: object) -> None:
    of_another_host(tmp_path / "small", job)  # type: ignore[arg-type]
    driver = driver_of(tmp_path / "small")
    assert driver is not None and driver.slurm is None
