import json
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import mlflow.data
import pytest
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.entities import Run

from service.config.load import load
from service.config.sweep import SweepSpec
from service.tracking.location import embedded_store
from service.tracking.store import Store
from service.tracking.ui import ui_command
from service.tracking.view import MlflowView

SWEEP = """
name: {name}
experiment: shared
data: {{name: digits}}
learner: {{hidden: 8}}
space:
  learner.wiring_cost: {{log: [1e-7, 1e-3]}}
search: {{trials: {trials}}}
"""
ORIGIN = {"code_version": "0.1", "environment": 2, "data_digest": "0123456789abcdef" * 4}
METRICS = {"accuracy": (0.5, 0.25), "loss": (2.0, None)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests, as making one takes seconds."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def spec(request: pytest.FixtureRequest, runs: Path) -> SweepSpec:
    return _spec(runs, request.node.name.removeprefix("test_").partition("[")[0])


def _spec(runs: Path, name: str, trials: int = 4) -> SweepSpec:
    (runs / name).mkdir(exist_ok=True)
    path = runs / name / "asked.yaml"
    path.write_text(SWEEP.format(name=name, trials=trials))
    return load(path)


def _view(runs: Path, spec: SweepSpec) -> MlflowView:
    return MlflowView.open(runs, spec, runs / spec.name, retry_seconds=0.05)


def _found(runs: Path, spec: SweepSpec) -> tuple[Run, dict[int, Run]]:
    """The run of the sweep, and those of its trials; no two are of the same trial."""
    client = mlflow.MlflowClient(embedded_store(runs))
    experiment = client.get_experiment_by_name("shared")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], f"tags.`polychrony.sweep` = '{spec.name}'")
    trials = [run for run in found if "polychrony.trial" in run.data.tags]
    (parent,) = [run for run in found if "polychrony.trial" not in run.data.tags]
    numbered = {int(run.data.tags["polychrony.trial"]): run for run in trials}
    assert len(numbered) == len(trials)
    assert all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in trials)
    return parent, numbered


def _history(runs: Path, run: Run, key: str) -> list[tuple[int, float]]:
    history = mlflow.MlflowClient(embedded_store(runs)).get_metric_history(run.info.run_id, key)
    return [(metric.step, metric.value) for metric in history]


def _file(runs: Path, run: Run, name: str) -> bytes:
    return (runs / "mlartifacts" / "shared" / str(run.info.run_id) / "artifacts" / name).read_bytes()


def test_the_run_of_a_child_names_its_parent(runs: Path, spec: SweepSpec) -> None:
    """With when, by which move and in which generation it was born, and the run to look at."""
    view = _view(runs, spec)
    births: dict[int, dict[str, Any]] = {
        0: {"parent": None, "move": None, "birth_epoch": None, "generation": 0, "replaces": None},
        1: {"parent": 0, "move": "dimension_up", "birth_epoch": 5, "generation": 1, "replaces": 2},
        2: {"parent": 1, "move": "perturb", "birth_epoch": 10, "generation": 2, "replaces": 0},
    }
    for trial, birth in births.items():
        view.trial_started(trial, {"hidden": 8})
        view.trial_finished(trial, "complete", None, 20, {"loss": (1.0, None)}, origin=ORIGIN | birth)
    view.close("complete")
    parent, trials = _found(runs, spec)
    names = ("parent", "move", "birth_epoch", "generation", "replaces", "parent_run")
    tags = {
        trial: {name: run.data.tags.get(f"polychrony.{name}") for name in names}
        for trial, run in trials.items()
    }
    assert tags[0] == dict.fromkeys(names) | {"generation": "0"}
    for trial in (1, 2):
        known = {name: str(value) for name, value in births[trial].items()}
        assert tags[trial] == known | {"parent_run": trials[trial - 1].info.run_id}
    assert {run.data.tags["mlflow.parentRunId"] for run in trials.values()} == {parent.info.run_id}


def test_mlflow_waits_for_the_first_epoch_and_links_what_is_drawn(runs: Path, spec: SweepSpec) -> None:
    asked = threading.Event()

    def connect() -> Store:
        asked.set()
        return Store(runs, spec, "linked")

    view, drawn = MlflowView(connect, 0.1), runs / "delays.png"
    drawn.write_bytes(b"picture")
    view.trial_started(0, {})
    assert not asked.wait(0.3)
    view.epoch(0, 1, {"accuracy": (0.5, None)})
    assert asked.wait(60)
    view.add_artifacts(0, lambda: {"delays.png": drawn})
    view.close("complete")
    _, trials = _found(runs, spec)
    assert _file(runs, trials[0], "delays.png") == b"picture"
    assert drawn.stat().st_nlink == 2


def test_a_sweep_in_full(runs: Path, spec: SweepSpec) -> None:
    view = _view(runs, spec)
    view.trial_started(3, {"hidden": 8, "wiring_cost": 1e-5, "min_delay": None, "embedding": "space"})
    for epoch in (1, 2):
        view.epoch(
            3, epoch, {"accuracy": (0.1 * epoch, 0.01), "loss": (math.nan, None), "rate": (1.0, math.inf)}
        )
    view.trial_finished(
        3,
        "pruned",
        "worse than others",
        2,
        {"test_accuracy": (0.3, None)},
        lambda: {"positions.png": b"png"},
        ORIGIN | {"accuracy": 0.2, "node": None},
    )
    view.add_artifacts(3, lambda: {"positions.html": b"<html>"})
    view.close("complete")

    parent, trials = _found(runs, spec)
    (run,) = trials.values()
    assert view.lost == 0
    assert run.info.run_name == "a_sweep_in_full-0003" and run.info.status == "FINISHED"
    tags = {key.partition(".")[2]: v for key, v in run.data.tags.items() if key.startswith("polychrony.")}
    tags.pop("id")
    about = {"sweep": spec.name, "trial": "3", "state": "pruned", "reason": "worse than others"}
    assert tags == about | {"code_version": "0.1", "environment": "2", "data_digest": ORIGIN["data_digest"]}
    assert run.inputs is not None
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("digits", "0123456789abcdef" * 2 + "0123")
    assert json.loads(data.dataset.profile or "") == {"sha256": ORIGIN["data_digest"]}
    assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", "training")]
    assert isinstance(mlflow.data.get_source(data), CodeDatasetSource)
    assert run.data.params == {
        "hidden": "8", "wiring_cost": "1e-05", "min_delay": "null", "embedding": "space"
    }  # fmt: skip
    assert set(run.data.metrics) == {"accuracy", "accuracy_sem", "rate", "test_accuracy"}
    assert _history(runs, run, "accuracy") == [(1, 0.1), (2, 0.2)]
    assert _history(runs, run, "accuracy_sem") == [(1, 0.01), (2, 0.01)]
    assert _history(runs, run, "test_accuracy") == [(2, 0.3)]
    assert _file(runs, run, "positions.png") == b"png"
    assert _file(runs, run, "positions.html") == b"<html>"

    assert parent.info.run_name == spec.name and parent.info.status == "FINISHED"
    assert parent.data.tags["polychrony.state"] == "complete"
    assert parent.data.tags["polychrony.trials"] == "4"
    assert parent.data.params["search.sampler"] == "tpe"
    assert parent.data.params["learner.hidden"] == "8"
    assert parent.data.params["space.learner.wiring_cost"] == '{"log": [1e-07, 0.001]}'
    sweep = runs / spec.name / "sweep.yaml"
    sweep.write_bytes(_file(runs, parent, "sweep.yaml"))
    assert load(sweep) == spec


@pytest.mark.parametrize(
    ("trial", "state", "status"),
    [
        (0, "complete", "FINISHED"),
        (1, "failed", "FAILED"),
        (2, "timed_out", "KILLED"),
        (3, "cancelled", "KILLED"),
    ],
)
def test_states(runs: Path, spec: SweepSpec, trial: int, state: str, status: str) -> None:
    view = _view(runs, spec)
    view.trial_started(trial, {})
    view.trial_finished(trial, state, None, 1, METRICS)
    view.close("failed")
    parent, trials = _found(runs, spec)
    assert trials[trial].info.status == status and parent.info.status == "FAILED"
    assert trials[trial].data.tags["polychrony.state"] == state
    assert trials[trial].data.metrics == {"accuracy": 0.5, "accuracy_sem": 0.25, "loss": 2.0}


def test_many_epochs_are_all_there(runs: Path, spec: SweepSpec) -> None:
    view = _view(runs, spec)
    for trial in (0, 1):
        view.trial_started(trial, {})
    for epoch in range(1, 1201):  # more than go into a batch
        for trial in (0, 1):
            view.epoch(trial, epoch, {"loss": (1 / epoch + trial, None)})
    view.close("complete")  # an interrupt would not wait for all of it
    for trial, run in _found(runs, spec)[1].items():
        assert _history(runs, run, "loss") == [(epoch, 1 / epoch + trial) for epoch in range(1, 1201)]


def test_resume_doubles_nothing(runs: Path, spec: SweepSpec) -> None:
    first = _view(runs, spec)
    assert first.finished_trials() == set()
    for trial in (0, 1):
        first.trial_started(trial, {"hidden": 8})
        for epoch in (1, 2):
            first.epoch(trial, epoch, {"loss": (2.0 - 0.1 * epoch, None)})
    first.trial_finished(0, "complete", None, 2, {"loss": (1.8, None)}, lambda: {"delays.png": b"first"})
    first.close("cancelled")  # trial 1 is still running
    before, _ = _found(runs, spec)

    second = _view(runs, _spec(runs, spec.name, trials=9))
    assert second.finished_trials() == {0}
    for trial in (0, 1):  # both told again: the epochs since a checkpoint, for one
        second.trial_started(trial, {"hidden": 8})
        for epoch in (2, 3):
            second.epoch(trial, epoch, {"loss": (2.0 - 0.1 * epoch, None)})
        second.trial_finished(
            trial, "complete", None, 3, {"loss": (1.7, None)}, lambda: {"delays.png": b"second"}
        )
    assert second.finished_trials() == {0, 1}
    second.close("complete")

    after, trials = _found(runs, spec)
    assert after.info.run_id == before.info.run_id
    assert (before.info.status, after.info.status) == ("KILLED", "FINISHED")
    assert after.data.tags["polychrony.trials"] == "9"
    assert _history(runs, trials[0], "loss") == [(1, 1.9), (2, 1.8)]
    assert _history(runs, trials[1], "loss") == [(1, 1.9), (2, 1.8), (3, 1.7)]
    assert [_file(runs, trials[trial], "delays.png") for trial in (0, 1)] == [b"first", b"second"]
    assert second.lost == 0


def test_a_folder_made_anew_is_another_sweep(runs: Path, spec: SweepSpec) -> None:
    view = _view(runs, spec)
    view.trial_started(0, {})
    view.trial_finished(0, "complete", None, 1, METRICS)
    view.close("complete")
    (runs / spec.name / "mlflow-id").unlink()
    again = _view(runs, spec)
    assert again.finished_trials() == set()
    again.close("complete")


def test_failing_pictures_harm_nothing(runs: Path, spec: SweepSpec, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> dict[str, bytes]:
        raise FileNotFoundError("no such network")

    view = _view(runs, spec)
    view.trial_started(5, {})
    view.trial_finished(5, "complete", None, 1, METRICS, fail)
    view.trial_started(6, {})
    view.trial_finished(6, "complete", None, 1, METRICS)
    view.close("complete")
    _, trials = _found(runs, spec)
    assert {run.data.tags["polychrony.state"] for run in trials.values()} == {"complete"}
    assert set(trials) == {5, 6}
    assert "no pictures of trial 5: FileNotFoundError: no such network" in caplog.messages


def test_what_the_store_refuses_is_told_and_given_up(
    runs: Path, spec: SweepSpec, caplog: pytest.LogCaptureFixture
) -> None:
    view = _view(runs, spec)
    view.trial_started(0, {"what$ever": 1})
    view.trial_started(1, {"hidden": 8})
    view.close("complete")
    assert _found(runs, spec)[1][1].data.params == {"hidden": "8"}
    assert view.lost == 1
    assert [m for m in caplog.messages if "start of trial 0 could not be logged" in m]


def test_a_deleted_experiment_is_restored(runs: Path, spec: SweepSpec) -> None:
    _view(runs, spec).close("complete")
    client = mlflow.MlflowClient(embedded_store(runs))
    experiment = client.get_experiment_by_name("shared")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    view = _view(runs, spec)
    view.trial_started(0, {})
    view.trial_finished(0, "complete", None, 1, METRICS)
    view.close("complete")
    assert set(_found(runs, spec)[1]) == {0}


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        yield


@pytest.mark.usefixtures("no_server")
def test_without_a_server_nothing_blocks(
    runs: Path, spec: SweepSpec, caplog: pytest.LogCaptureFixture
) -> None:
    view = _view(runs, spec)
    view.trial_started(0, {})
    view.epoch(0, 1, METRICS)
    view.trial_finished(0, "complete", None, 1, METRICS)
    assert view.finished_trials(patience=0.3) is None
    waiting: list[int] = []
    view.close("complete", patience=0.5, progress=waiting.append)
    assert waiting and waiting[-1] == view.lost > 0
    reported = [m for m in caplog.messages if "cannot be used at the moment" in m]
    assert len(reported) == 1 and "secret" not in caplog.text
    assert f"{view.lost} entries were not logged" in caplog.text


@pytest.mark.usefixtures("no_server")
def test_a_store_that_never_answered_is_not_waited_for_as_long(
    runs: Path, spec: SweepSpec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("service.tracking.view.UNREACHED_PATIENCE", 0.5)
    view = _view(runs, spec)
    while not view._outbox.unreached:
        time.sleep(0.05)
    view.close("complete")
    assert "MLflow did not answer for 0.5 s" in caplog.text


def test_an_outage_loses_nothing(
    runs: Path, spec: SweepSpec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    down = threading.Event()
    watch = logging.Handler()
    watch.emit = lambda record: down.set() if "cannot be used" in record.msg else None  # type: ignore[method-assign]
    logging.getLogger("service.tracking").addHandler(watch)
    view = _view(runs, spec)
    view.trial_started(0, {"hidden": 8})
    view.epoch(0, 1, METRICS)
    view.trial_finished(0, "complete", None, 1, METRICS)
    assert down.wait(30)
    logging.getLogger("service.tracking").removeHandler(watch)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # the store is back
    view.close("complete")
    _, trials = _found(runs, spec)
    assert trials[0].data.metrics["accuracy"] == 0.5 and trials[0].data.params == {"hidden": "8"}
    assert view.lost == 0 and "MLflow answers again; what waited is logged now" in caplog.messages


def test_the_ui_is_on_loopback_and_over_our_store(runs: Path) -> None:
    command, environment = ui_command(runs, 5123)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5123"
    assert environment["MLFLOW_BACKEND_STORE_URI"] == embedded_store(runs)
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert "PATH" in environment
