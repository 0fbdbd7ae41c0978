"""A sweep on S3: a real server of its protocol on loopback, a real Ray, and a driver that is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from hang import HANG_SECONDS
from s3_server import s3_server
from typer.testing import CliRunner

from service import Sweep, Sweeps
from service.cli import app
from service.errors import UserError
from service.storage.lock import is_running
from service.storage.paths import list_folder, parse_path

PROGRAM = [sys.executable, "-c", "from service.cli import main; main()"]
RUNS = "s3://bucket/runs"
FILE = """\
name: small
data: {name: digits}
learner: {hidden: 6, epochs: 2, duration: 20.0, dt: 2.0, batch_size: 256, replicates: 2, embedding: none}
space: {"learner.learning_rate": {log: [1e-3, 1e-1]}}
search: {sampler: random, trials: 4}
objectives: [{metric: accuracy, goal: max}]
resources: {concurrent: 2}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server with a bucket, which the environment points to."""
    with s3_server() as address:
        yield address


@pytest.fixture(scope="module")
def folder(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local folder with the sweep file, where a sweep on S3 was begun, killed, and finished."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "small.yaml").write_text(FILE)
    with subprocess.Popen(
        command("run", "small.yaml"),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(folder),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if line.startswith(("[1/4]", "polychrony")))
        process.send_signal(signal.SIGKILL)
    assert said.startswith("[1/4]")
    done = polychrony("run", "small.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    assert ": 4 trials, " in done.stdout and " are finished" in done.stdout
    return folder


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}


def command(*arguments: str) -> list[str]:
    return [*PROGRAM, *arguments, "--out", RUNS]


def polychrony(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def test_every_trial_is_there_once(folder: Path) -> None:
    trials = pd.read_parquet(f"{RUNS}/small/tables/trials")
    assert sorted(trials["trial"]) == list(range(4)) and set(trials["state"]) == {"complete"}
    epochs = pd.read_parquet(f"{RUNS}/small/tables/epochs")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any() and len(epochs) == 4 * 2 * 2
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    numbers = [run.data.tags["polychrony.trial"] for run in runs if "polychrony.trial" in run.data.tags]
    assert sorted(numbers) == [str(n) for n in range(4)]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_all_lies_there_and_nothing_here(folder: Path) -> None:
    sweep = parse_path(f"{RUNS}/small")
    names = {one.name for one in list_folder(sweep)}
    assert names >= {"sweep.yaml", "environments.json", "plan.jsonl", "tables", "networks", "pictures"}
    assert list_folder(sweep / "checkpoints") == list_folder(sweep / "log.jsonl") == []
    assert not is_running(sweep) and [one.name for one in list_folder(sweep / ".lock")] == ["lease"]
    assert {path.name for path in folder.iterdir()} == {"small.yaml", "mlflow.db", "mlartifacts"}
    row = Sweeps(RUNS).table("trials").query("trial == 3").iloc[0]
    net = Sweep(f"{RUNS}/small").network(3)
    assert net.config.learning_rate == row["learning_rate"] and net.learned_parameters == row["parameters"]


def test_commands_go_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments, "--out", RUNS], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    assert "4 complete of 4" in said("list")
    assert said("table", "small", "trials", "--where", "trial == 2", "--format", "csv").count("\n") == 2
    assert "small/3: the same, to the digit" in said("train", "--from", "small/3")
    assert "5 runs in MLflow" in said("delete", "small", "--yes")
    assert "no sweeps in" in said("list")


def test_mlflow_must_be_elsewhere(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "small.yaml").write_text(FILE)
    arguments = ["run", str(tmp_path / "small.yaml"), "--out", f"{RUNS}/other"]
    with pytest.raises(
        UserError, match=r"MLFLOW_TRACKING_URI: is not set: set it, or `mlflow\.uri` in the sweep"
    ):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert list_folder(parse_path(f"{RUNS}/other")) == []
