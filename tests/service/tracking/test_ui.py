"""The MLflow UI: what is said before a server is started."""

import socket
from pathlib import Path

import pytest

from service.config.load import load
from service.tracking.location import embedded_store
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


def test_the_address_of_a_sweep_opens_its_runs_the_best_first(runs: Path) -> None:
    (address,) = addresses(runs, 5000, embedded_store(runs)).values()
    assert address == (
        "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
        "&orderByKey=metrics.%60accuracy%60&orderByAsc=false"
    )
