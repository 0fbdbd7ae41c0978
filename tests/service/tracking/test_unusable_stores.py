"""Databases that can not be used, and what is said of them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.config.load import load
from service.errors import SweepError
from service.tracking.outbox import brief
from service.tracking.store import Store


def test_its_cure_is_told_for_newer_and_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "asked.yaml").write_text("name: s\ndata: {name: digits}\n")
    spec, other = load(tmp_path / "asked.yaml"), tmp_path / "other"
    Store(tmp_path, spec, "me")
    other.mkdir()
    # A copy under another name: MLflow has seen that the first is well, and does not look again.
    shutil.copy(tmp_path / "mlflow.db", other)
    with closing(sqlite3.connect(other / "mlflow.db")) as database:
        database.execute("update alembic_version set version_num = 'ffff'")
        database.commit()
    with pytest.raises(SweepError, match=r"version of MLflow \(ffff, not \w+\); install that") as caught:
        Store(other, spec, "me")
    assert brief(caught.value).startswith("its database") and "..." not in brief(caught.value)


def test_a_long_reason_is_cut_between_words() -> None:
    said = brief(ValueError("word " * 100))
    assert len(said) <= 300 and said.endswith("word ...")


def test_the_reason_of_a_database_is_told() -> None:
    """As SQLAlchemy says it of one that can't be written."""
    error = ValueError(
        "(raised as a result of Query-invoked autoflush; and so on)\n(sqlite3) readonly\n[SQL: ...]"
    )
    assert brief(error) == "ValueError: (sqlite3) readonly"
