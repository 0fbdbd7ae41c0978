"""One run of a sweep and one of each trial below it, whatever people have done to them in MLflow."""

import re
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run, ViewType

from service.config.load import load
from service.config.sweep import SweepSpec
from service.tracking.location import embedded_store
from service.tracking.view import MlflowView

METRICS = {"accuracy": (0.5, 0.25)}
TRIALS = (0, 1)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests, as making one takes seconds."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def client(runs: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(embedded_store(runs))


@pytest.fixture
def spec(request: pytest.FixtureRequest, runs: Path) -> SweepSpec:
    name = re.sub("[^a-z]+", "_", request.node.name.removeprefix("test_")).strip("_")
    (runs / name).mkdir(exist_ok=True)
    path = runs / name / "asked.yaml"
    path.write_text(f"name: {name}\ndata: {{name: digits}}\nsearch: {{sampler: random, trials: 2}}\n")
    return load(path)


def told(runs: Path, spec: SweepSpec, until: int = 2) -> MlflowView:
    """A view that has been told of trials that it does not have, up to an epoch."""
    view = MlflowView.open(runs, spec, runs / spec.name, retry_seconds=0.05)
    for trial in set(TRIALS) - (view.finished_trials() or set()):
        tell(view, trial, until)
    assert view.finished_trials() is not None
    return view


def tell(view: MlflowView, trial: int, until: int = 2) -> None:
    view.trial_started(trial, {"hidden": 8})
    for epoch in range(1, until + 1):
        view.epoch(trial, epoch, {"loss": (1.0 / epoch, None)})


def finish(view: MlflowView, *trials: int) -> None:
    for trial in trials:
        view.trial_finished(trial, "complete", None, 3, METRICS, lambda: {"delays.png": b"png"})


def everything(runs: Path, client: mlflow.MlflowClient, spec: SweepSpec) -> tuple[Run, dict[int, Run]]:
    """The run of the sweep and those of its trials, each once, whole, and not deleted."""
    experiment = client.get_experiment_by_name(spec.name)
    assert experiment is not None and experiment.lifecycle_stage == "active"
    found = client.search_runs([experiment.experiment_id])
    (parent,) = [run for run in found if "polychrony.trial" not in run.data.tags]
    trials = {int(run.data.tags["polychrony.trial"]): run for run in found if run is not parent}
    assert sorted(trials) == list(TRIALS) and len(found) == 3
    for run in trials.values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert (run.info.status, run.data.tags["polychrony.state"]) == ("FINISHED", "complete")
        assert run.data.params == {"hidden": "8"} and run.data.metrics["accuracy"] == 0.5
        history = client.get_metric_history(run.info.run_id, "loss")
        assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]
        assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["delays.png"]
    return parent, trials


def gone_for_good(runs: Path, run: Run) -> None:
    """As `mlflow gc` would."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    make: Any = SqlAlchemyStore
    store = make(embedded_store(runs), str(runs / "mlartifacts"))
    store.delete_run(run.info.run_id)
    store._hard_delete_run(run.info.run_id)


def before(runs: Path, client: mlflow.MlflowClient, spec: SweepSpec) -> tuple[Run, dict[int, Run]]:
    """A finished sweep."""
    view = told(runs, spec)
    finish(view, *TRIALS)
    view.close("complete")
    return everything(runs, client, spec)


def test_a_deleted_parent_is_restored(runs: Path, spec: SweepSpec, client: mlflow.MlflowClient) -> None:
    parent, _ = before(runs, client, spec)
    client.delete_run(parent.info.run_id)
    told(runs, spec).close("complete")
    assert everything(runs, client, spec)[0].info.run_id == parent.info.run_id


def test_all_trials_hang_on_a_parent_that_is_made_anew(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient
) -> None:
    parent, trials = before(runs, client, spec)
    gone_for_good(runs, parent)
    told(runs, spec).close("complete")
    again, same = everything(runs, client, spec)
    assert again.info.run_id != parent.info.run_id and again.data.params["search.sampler"] == "random"
    assert {trial: run.info.run_id for trial, run in same.items()} == {
        trial: run.info.run_id for trial, run in trials.items()
    }


def test_a_second_parent_of_old_goes_to_the_bin(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient
) -> None:
    """As a request makes it whose answer was lost; and one trial is below it."""
    parent, trials = before(runs, client, spec)
    tags = {key: value for key, value in parent.data.tags.items() if key.startswith("polychrony.")}
    second = client.create_run(parent.info.experiment_id, tags=tags)
    client.set_tag(trials[1].info.run_id, "mlflow.parentRunId", second.info.run_id)
    told(runs, spec).close("complete")
    assert everything(runs, client, spec)[0].info.run_id == parent.info.run_id
    assert client.get_run(second.info.run_id).info.lifecycle_stage == "deleted"


def test_deleted_trials_are_restored(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    _, trials = before(runs, client, spec)
    client.delete_run(trials[1].info.run_id)
    told(runs, spec).close("complete")
    assert everything(runs, client, spec)[1][1].info.run_id == trials[1].info.run_id
    assert "MLflow: runs of this sweep had been deleted; 1 are restored" in caplog.messages


@pytest.mark.parametrize("for_good", [False, True], ids=["bin", "for good"])
@pytest.mark.parametrize("number", [None, "0"], ids=["sweep", "trial"])
def test_deleted_while_it_runs(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient, for_good: bool, number: str | None
) -> None:
    view = told(runs, spec, until=1)
    experiment = client.get_experiment_by_name(spec.name)
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    (run,) = [one for one in found if one.data.tags.get("polychrony.trial") == number]
    if for_good:
        gone_for_good(runs, run)
    else:
        client.delete_run(run.info.run_id)
    for trial in TRIALS:
        view.epoch(trial, 2, {"loss": (0.5, None)})
    finish(view, *TRIALS)
    for trial in set(TRIALS) - (view.finished_trials() or set()):  # as a sweep does at its end
        tell(view, trial)
        finish(view, trial)
    view.close("complete")
    assert view.lost == 0
    everything(runs, client, spec)


def test_edited_tags_and_names(runs: Path, spec: SweepSpec, client: mlflow.MlflowClient) -> None:
    """A trial whose number can't be read is told anew; what was made of its run is left alone."""
    parent, trials = before(runs, client, spec)
    client.update_run(trials[0].info.run_id, name="the good one")
    client.update_run(parent.info.run_id, name="my sweep")
    client.delete_tag(trials[0].info.run_id, "mlflow.parentRunId")
    client.set_tag(trials[1].info.run_id, "polychrony.trial", "one")
    view = told(runs, spec)
    assert view.finished_trials() == {0}
    finish(view, 1)
    view.close("complete")
    assert view.lost == 0
    client.delete_run(trials[1].info.run_id)
    after, same = everything(runs, client, spec)
    assert (after.info.run_id, after.info.run_name) == (parent.info.run_id, "my sweep")
    assert same[0].info.run_name == "the good one"


def test_a_state_that_was_edited_finishes_no_trial(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient
) -> None:
    view = told(runs, spec)
    finish(view, 0)
    view.close("failed")
    experiment = client.get_experiment_by_name(spec.name)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "tags.`polychrony.trial` = '1'")
    client.set_tag(run.info.run_id, "polychrony.state", "complete")
    view = told(runs, spec)
    assert view.finished_trials() == {0}
    finish(view, 1)
    view.close("complete")
    everything(runs, client, spec)


def test_a_deleted_experiment_comes_back_with_all_its_runs(
    runs: Path, spec: SweepSpec, client: mlflow.MlflowClient
) -> None:
    parent, trials = before(runs, client, spec)
    client.delete_experiment(parent.info.experiment_id)
    told(runs, spec).close("complete")
    again, same = everything(runs, client, spec)
    assert again.info.run_id == parent.info.run_id and same[0].info.run_id == trials[0].info.run_id
    assert len(client.search_runs([parent.info.experiment_id], run_view_type=ViewType.ALL)) == 3
