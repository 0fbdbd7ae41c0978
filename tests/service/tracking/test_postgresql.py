"""MLflow's store in a real PostgreSQL, where one can be reached on this machine without a password."""

import json
from pathlib import Path

import mlflow
import psycopg
import pytest
from mlflow.entities import Run
from postgresql import SERVER

from service.config.load import load
from service.config.sweep import SweepSpec
from service.tracking.removal import remove_runs
from service.tracking.view import MlflowView

METRICS = {"accuracy": (0.5, 0.25)}


@pytest.fixture
def spec(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> SweepSpec:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    monkeypatch.chdir(tmp_path)
    name = request.node.name.removeprefix("test_")
    folder = tmp_path / "runs" / name
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(f"name: {name}\ndata: {{name: digits}}\n")
    return load(folder / "sweep.yaml")


def _view(tmp_path: Path, spec: SweepSpec) -> MlflowView:
    runs = tmp_path / "runs"
    return MlflowView.open(runs, spec, runs / spec.name, retry_seconds=0.05)


def _found(database: str, spec: SweepSpec) -> dict[str, Run]:
    """The runs of a sweep, by trial; that of the sweep itself under nothing."""
    client = mlflow.MlflowClient(database)
    experiment = client.get_experiment_by_name(spec.name)
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    numbered = {run.data.tags.get("polychrony.trial", ""): run for run in found}
    assert len(numbered) == len(found)
    return numbered


def test_a_sweep_is_logged_once_through_lost_connections(
    tmp_path: Path, database: str, spec: SweepSpec
) -> None:
    digest = "0123456789abcdef" * 4
    for session in range(2):  # the second is told everything again
        view = _view(tmp_path, spec)
        for trial in range(3):
            view.trial_started(trial, {"hidden": 8})
            for epoch in range(1, 6 + session):
                view.epoch(trial, epoch, {"accuracy": (epoch / 10, 0.01)})
            assert view.finished_trials() is not None
            _end_connections(database)
            artifacts = {"positions.png": b"png"}
            about = {"data_digest": digest, "node": "here"}
            state = "complete" if trial or session else "failed"
            view.trial_finished(trial, state, None, 5, {}, artifacts.copy, about)
        view.close("complete")
        assert view.lost == 0
    runs = _found(database, spec)
    assert set(runs) == {"", "0", "1", "2"}
    assert runs["0"].info.status == "FAILED" and runs["2"].info.status == "FINISHED"
    client = mlflow.MlflowClient(database)
    for run in (runs["0"], runs["1"], runs["2"]):
        history = client.get_metric_history(run.info.run_id, "accuracy")
        assert sorted((m.step, m.value) for m in history) == [(e, e / 10) for e in range(1, 6)]
        assert run.data.tags["polychrony.node"] == "here"
        assert run.inputs is not None
        (data,) = run.inputs.dataset_inputs
        assert json.loads(data.dataset.profile or "") == {"sha256": digest}
        place = tmp_path / "runs" / "mlartifacts" / spec.name / run.info.run_id / "artifacts"
        assert (place / "positions.png").read_bytes() == b"png"
    assert not (tmp_path / "mlruns").exists()


def _end_connections(database: str) -> None:
    """As a restart of the server would."""
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [database.rpartition("/")[2]],
        )


def test_a_deleted_sweep_leaves_no_run(tmp_path: Path, database: str, spec: SweepSpec) -> None:
    view = _view(tmp_path, spec)
    view.trial_started(0, {})
    view.trial_finished(0, "complete", None, 1, METRICS, {"positions.png": b"png"}.copy)
    view.close("complete")
    runs = tmp_path / "runs"
    assert remove_runs(runs, runs / spec.name, None) == 2
    assert _found(database, spec) == {} and not list(runs.rglob("*.png"))
    assert remove_runs(runs, runs / spec.name, None) == 0
