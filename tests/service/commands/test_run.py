"""`polychrony run` as a user types it: a real sweep on a real Ray, stopped, taken up, and looked at."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hang import HANG_SECONDS

from service import Sweep

PROGRAM = [sys.executable, "-c", "from service.cli import main; main()"]


def polychrony(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )


def started(folder: Path, until: str) -> subprocess.Popen[str]:
    """A running sweep, that has just said a line which begins with `until`."""
    process = subprocess.Popen(
        [*PROGRAM, "run", "small.yaml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(until):
            break
    return process


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which a sweep was killed, taken up and finished; with what the last command said."""
    folder = tmp_path_factory.mktemp("sweeps")
    write_sweep(folder)
    killed = started(folder, until="[2/6]")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = polychrony("run", "small.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def write_sweep(folder: Path, name: str = "small", more: Sequence[str] = ()) -> None:
    text = [
        f"name: {name}",
        "data: {name: digits}",
        "learner: {hidden: 6, epochs: 2, duration: 20.0, dt: 2.0, batch_size: 256, replicates: 2}",
        "space:",
        "  learner.wiring_cost: {log: [1e-4, 1e-1]}",
        "  learner.dimensions: {choice: [1, 2, 3]}",
        "search: {sampler: nsga2, population: 2, trials: 6}",
        "objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]",
        "resources: {concurrent: 2}",
        *more,
    ]
    (folder / f"{name}.yaml").write_text("\n".join(text) + "\n")


def test_a_killed_sweep_goes_on_and_counts_every_trial_once(finished: tuple[Path, str]) -> None:
    folder, said = finished
    assert "2 are finished" in said or "3 are finished" in said
    assert "Pareto front" in said and "polychrony ui" in said
    trials = pd.read_parquet(folder / "runs/small/tables/trials")
    assert sorted(trials["trial"]) == list(range(6)) and set(trials["state"]) == {"complete"}
    epochs = pd.read_parquet(folder / "runs/small/tables/epochs")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any() and len(epochs) == 6 * 2 * 2
    neurons = pd.read_parquet(folder / "runs/small/tables/neurons")
    assert not neurons.duplicated(["trial", "replicate", "epoch", "neuron"]).any()
    dimensions = trials.set_index("trial")["dimensions"]
    assert all(len(p) == dimensions[t] for t, p in zip(neurons["trial"], neurons["position"], strict=True))


def test_mlflow_has_every_trial_once(finished: tuple[Path, str]) -> None:
    import mlflow

    folder, _ = finished
    client = mlflow.MlflowClient(f"sqlite:///{folder}/runs/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1 and len(runs) == 7
    children = {run.data.tags["polychrony.trial"]: run for run in runs if run not in parents}
    trials = Sweep(folder / "runs/small").table("trials").set_index("trial")
    pages = 0
    for trial, run in children.items():
        assert run.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
        assert run.info.status == "FINISHED"
        assert run.data.metrics["accuracy"] == trials["accuracy"][int(trial)]
        history = client.get_metric_history(run.info.run_id, "accuracy")
        assert sorted({point.step for point in history}) == [1, 2]
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert files >= {"positions.png", "delays.png"}
        pages += "positions.html" in files
    assert pages >= 5  # of the very best
    files = {file.path for file in client.list_artifacts(parents[0].info.run_id)}
    assert files == {"front.png", "parallel.png", "sweep.yaml", "tables"}
    copies = {file.path for file in client.list_artifacts(parents[0].info.run_id, "tables")}
    kept = [f"tables/{name}.parquet" for name in ("trials", "epochs", "neurons", "topology")]
    assert copies == {*kept, "tables/trials.csv"}
    place = Path(str(parents[0].info.artifact_uri).removeprefix("file://"))
    for read, name in ((pd.read_parquet, "trials.parquet"), (pd.read_csv, "trials.csv")):
        shown = read(place / "tables" / name).set_index("trial")["accuracy"]
        assert shown.to_dict() == pytest.approx(trials["accuracy"].to_dict())


def test_the_trained_networks_can_be_loaded(finished: tuple[Path, str]) -> None:
    sweep = Sweep(finished[0] / "runs/small")
    net = sweep.network(3)
    row = sweep.table("trials").set_index("trial").loc[3]
    assert net.config.dimensions == row["dimensions"]
    assert net.wiring_length().mean().item() == pytest.approx(row["wiring_length"], rel=1e-5)
    neurons = sweep.table("neurons").query("trial == 3 and replicate == 1 and epoch == 2")
    np.testing.assert_array_equal(np.stack(neurons["position"].tolist()), net.positions[1].detach().numpy())


def test_a_finished_sweep_says_so_and_a_larger_budget_goes_on(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    again = polychrony("run", "small.yaml", folder=folder)
    assert again.returncode == 0 and "small is finished: 6 trials" in again.stdout
    more = polychrony("run", "small.yaml", "--set", "search.trials=7", folder=folder)
    assert more.returncode == 0 and "7 trials, 6 are finished" in more.stdout
    assert len(Sweep(folder / "runs/small").table("trials")) == 7


def test_a_database_that_was_emptied_is_told_everything(finished: tuple[Path, str], tmp_path: Path) -> None:
    import mlflow

    folder, _ = finished
    database = folder / "runs/mlflow.db"
    database.unlink()
    database.touch()
    again = polychrony("run", "small.yaml", "--set", "search.trials=7", folder=folder)
    assert again.returncode == 0, again.stderr
    shutil.copy(database, tmp_path / "copy.db")  # what this process knows of the first one is gone
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'copy.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 8 and {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.data.params for run in runs)


def test_another_sweep_under_the_same_name_is_refused(finished: tuple[Path, str]) -> None:
    other = polychrony("run", "small.yaml", "--set", "learner.hidden=7", folder=finished[0])
    assert other.returncode == 2
    assert other.stderr.startswith(
        "small.yaml:1: name: there is another sweep called `small` (learner.hidden: 6 -> 7"
    )


def test_tables_are_printed(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    found = polychrony("table", "small", "trials", "--where", "trial == 2", "--format", "json", folder=folder)
    assert json.loads(found.stdout)[0]["trial"] == 2
    missing = polychrony("table", "small", "trails", folder=folder)
    assert missing.returncode == 2 and "tables are delay_graph, epochs, layers, lesions" in missing.stderr
    nowhere = polychrony("table", "smal", "trials", folder=folder)
    assert nowhere.returncode == 2 and "sweeps there: small" in nowhere.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupt_keeps_what_is_there(tmp_path: Path, number: signal.Signals) -> None:
    """Sent to all processes of a terminal, of Ray's as well."""
    write_sweep(tmp_path)
    interrupted = started(tmp_path, until="[1/6]")
    os.killpg(interrupted.pid, number)
    _, said = interrupted.communicate(timeout=HANG_SECONDS)
    assert interrupted.returncode == 130
    assert "what is finished is kept" in said and "Traceback" not in said
    kept = len(Sweep(tmp_path / "runs/small").table("trials"))
    assert 1 <= kept < 6


def test_faults_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    write_sweep(tmp_path, "bad", ["stopping: {rule: asha}", "colour: red"])
    text = (tmp_path / "bad.yaml").read_text().replace("hidden: 6", "hidden: 0")
    (tmp_path / "bad.yaml").write_text(text)
    done = polychrony("run", "bad.yaml", folder=tmp_path)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["bad.yaml:3", "learner.hidden"],
        ["bad.yaml:10", "stopping.rule"],
        ["bad.yaml:11", "colour"],
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml"]


def test_two_drivers_of_one_sweep_are_refused(tmp_path: Path) -> None:
    from filelock import FileLock

    write_sweep(tmp_path)
    folder = tmp_path / "runs" / "small"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        done = polychrony("run", "small.yaml", folder=tmp_path)
    assert done.returncode == 1 and "another process runs this sweep" in done.stderr


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys, service.cli; from service.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'ray', 'mlflow', 'pandas', 'optuna', 'numba'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


def test_a_recorded_trial_is_trained_again_to_the_digit(
    finished: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded by a worker of Ray, trained again in a process of its own, with all the threads of torch."""
    monkeypatch.delenv("OMP_NUM_THREADS")
    done = polychrony("train", "--from", "small/3", folder=finished[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "small/3: the same, to the digit" in done.stdout
    missing = polychrony("train", "--from", "small/99", folder=finished[0])
    assert missing.returncode == 2 and "there is no such trial" in missing.stderr


def test_one_configuration_is_trained_without_ray(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    searching = polychrony("train", "small.yaml", folder=tmp_path)
    assert searching.returncode == 2 and "train runs one configuration" in searching.stderr
    done = polychrony("train", "small.yaml", "--set", "space={}", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "epoch 2/2: train_loss" in done.stdout
    trials = Sweep(tmp_path / "runs/small").table("trials")
    assert (
        trials["state"].tolist() == ["complete"]
        and trials["parameters"][0] == 64 * 6 + 6 * 5 + 6 * 10 + 10 + 12
    )
