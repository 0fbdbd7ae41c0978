"""The MLflow UI: what is said before a server is started."""

import json
import socket
from pathlib import Path

import mlflow
import pytest

from service.config.load import load
from service.results.sweep import Sweep
from service.tracking.location import embedded_store
from service.tracking.overview import description
from service.tracking.saved_view import NOTE, NOTE_TAG, offer_view, saved_view, view_tag
from service.tracking.ui import addresses, show
from service.tracking.view import MlflowView


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "runs" / "seen"
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text("name: seen\ndata: {name: digits}\n")
    view = MlflowView.open(folder.parent, load(folder / "sweep.yaml"), folder)
    view.note("| accuracy |")
    view.close("complete")
    return folder.parent


def test_a_port_that_is_taken_is_said_at_once(runs: Path) -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert show(runs, port, said.append) == 1
    assert said == [f"port {port} is taken; choose another: polychrony ui --port {port + 1}"]


def test_the_address_of_a_sweep_opens_its_view(runs: Path) -> None:
    (address,) = addresses(runs, 5000, embedded_store(runs)).values()
    page = "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
    assert address == f"{page}&viewStateShareKey=polychrony-seen"


def test_without_a_view_the_address_has_the_best_first(runs: Path) -> None:
    """As of sweeps that earlier versions have logged."""
    client = mlflow.MlflowClient(embedded_store(runs))
    client.delete_experiment_tag("1", view_tag("seen"))
    (address,) = addresses(runs, 5000, embedded_store(runs)).values()
    assert address.endswith(
        "workflowType=machine_learning&orderByKey=metrics.%60accuracy%60&orderByAsc=false"
    )


def test_a_view_has_objectives_constraints_and_searched_fields(runs: Path) -> None:
    (runs / "train.h5").touch()
    (runs / "asked.yaml").write_text(
        "name: asked\ndata: {path: train.h5}\n"
        "space: {learner.wiring_cost: {log: [0.001, 1]}, data.validation: {uniform: [0.1, 0.2]}}\n"
        "objectives: [{metric: wiring_length, goal: min}, {metric: accuracy, goal: max}]\n"
        "constraints: [{metric: silent, max: 0.5}, {metric: accuracy, min: 0.5}]\n"
    )
    view = json.loads(saved_view(load(runs / "asked.yaml"), 7))
    assert (view["name"], view["createdAt"], view["updatedAt"]) == ("asked", 7, 7)
    assert json.loads(view["state"]) == {
        "orderByKey": "metrics.`wiring_length`",
        "orderByAsc": True,
        "selectedColumns": [
            *("metrics.`wiring_length`", "metrics.`accuracy`", "metrics.`silent`"),
            *("params.`wiring_cost`", "params.`data.validation`", "attributes.`Duration`"),
        ],
    }


def test_what_others_say_of_an_experiment_stays(runs: Path) -> None:
    client = mlflow.MlflowClient(embedded_store(runs))
    assert client.get_experiment("1").tags[NOTE_TAG] == NOTE
    client.set_experiment_tag("1", NOTE_TAG, "mine")
    client.set_experiment_tag("1", view_tag("seen"), "of an earlier version")
    spec = load(runs / "seen" / "sweep.yaml")
    offer_view(client, "1", spec)
    tags = client.get_experiment("1").tags
    assert tags[NOTE_TAG] == "mine"
    assert json.loads(tags[view_tag("seen")])["name"] == "seen"


def test_the_description_of_a_sweep_has_its_front_as_a_table() -> None:
    fixtures = Path(__file__).resolve().parents[2] / "fixtures/recorded_sweeps"
    sweep = Sweep(fixtures / "finished")
    lines = description(sweep).splitlines()
    head, under, *rows = [line for line in lines if line.startswith("|")]
    assert "accuracy (max), wiring_length (min)" in lines[0]
    assert head == f"| {' | '.join(sweep.best().columns)} |"
    assert under == "|" + "---|" * len(sweep.best().columns)
    assert [row.split(" | ")[0] for row in rows] == [f"| {trial}" for trial in sweep.best()["trial"]]
