"""The database that MLflow is asked to make: whole, or not there."""

import os
from pathlib import Path
from typing import Any

import pytest

from service.tracking.client import client_of
from service.tracking.location import embedded_store


def test_a_kill_while_it_is_made_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*files: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killing, pytest.raises(KeyboardInterrupt):
        killing.setattr(os, "link", kill)
        client_of(embedded_store(tmp_path))
    assert list(tmp_path.iterdir()) == []
    for name in (".mlflow.db.1.new", ".mlflow.db.1.new-journal"):
        (tmp_path / name).write_bytes(b"what a kill left")
    client = client_of(embedded_store(tmp_path))
    experiment = client.create_experiment("one")
    assert client.get_experiment(experiment).name == "one"
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db"}


def test_a_file_system_may_have_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*files: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    client_of(embedded_store(tmp_path)).create_experiment("one")
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_another_process_may_be_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    client_of(embedded_store(other)).create_experiment("theirs")

    def late(source: Any, target: Any) -> None:
        Path(target).write_bytes((other / "mlflow.db").read_bytes())
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    found = client_of(embedded_store(tmp_path)).search_experiments()
    assert "theirs" in {one.name for one in found}
