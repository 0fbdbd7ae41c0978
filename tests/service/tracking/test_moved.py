"""A folder of sweeps that was moved or copied: MLflow's files are where the sweeps are."""

import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from mlflow.tracking._tracking_service import utils as of_mlflow

from service.config.load import load
from service.tracking.client import client_of
from service.tracking.location import embedded_store
from service.tracking.moved import follow_move
from service.tracking.store import sweep_id
from service.tracking.view import MlflowView

SWEEP = "name: small\ndata: {name: digits}\nlearner: {hidden: 8}\n"


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def log(runs: Path, *trials: int) -> None:
    """Log trials, each with a file, as a process would that knows nothing of those before."""
    of_mlflow._artifact_repos_cache.clear()
    folder = runs / "small"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.yaml").write_text(SWEEP)
    sweep_id(folder)
    view = MlflowView.open(runs, load(folder / "sweep.yaml"), folder)
    for trial in trials:
        view.trial_started(trial, {})
        view.trial_finished(trial, "complete", None, 1, {"loss": (1.0, None)}, lambda: {"a.png": b"png"})
    view.close("complete")
    assert not view.lost


def places(runs: Path) -> list[Path]:
    """Where MLflow looks for the files of each run; they are there."""
    client = client_of(embedded_store(runs))
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    for run in found:
        assert client.list_artifacts(run.info.run_id), run.info.artifact_uri
    return [Path(unquote(urlsplit(str(run.info.artifact_uri)).path)) for run in found]


@pytest.mark.parametrize("name", ["plain", "50% of a%2Fb?c#d \u00fc"])
def test_files_lie_in_the_folder_given_and_move_with_it(tmp_path: Path, name: str) -> None:
    runs, moved = tmp_path / name / "runs", tmp_path / "moved" / name
    log(runs, 0)
    assert sorted(one.name for one in runs.iterdir()) == ["mlartifacts", "mlflow.db", "small"]
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert all(place.is_relative_to(runs) for place in places(runs))
    moved.parent.mkdir()
    runs.rename(moved)
    log(moved, 1)
    assert len(places(moved)) == 3 and all(place.is_relative_to(moved) for place in places(moved))
    assert not runs.exists()


def test_a_copy_has_files_of_its_own(tmp_path: Path) -> None:
    log(tmp_path / "runs", 0)
    shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    log(tmp_path / "copy", 1)
    assert all(place.is_relative_to(tmp_path / "copy") for place in places(tmp_path / "copy"))
    assert all(place.is_relative_to(tmp_path / "runs") for place in places(tmp_path / "runs"))


def test_another_way_to_the_same_folder_is_no_move(tmp_path: Path) -> None:
    log(tmp_path / "runs", 0)
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    follow_move(tmp_path / "link")
    assert all(place.is_relative_to(tmp_path / "runs") for place in places(tmp_path / "runs"))


def test_files_that_lie_elsewhere_on_purpose_stay_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep of another folder was sent to this database."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", embedded_store(tmp_path / "here"))
    log(tmp_path / "there", 0)
    follow_move(tmp_path / "here")
    assert all(place.is_relative_to(tmp_path / "there") for place in places(tmp_path / "here"))


def test_there_may_be_nothing_to_move(tmp_path: Path) -> None:
    follow_move(tmp_path)
    (tmp_path / "mlflow.db").touch()
    follow_move(tmp_path)
