"""MLflow's own database after the folder of sweeps was moved: where its artifacts are, anew."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from service.storage.paths import ObjectPath, StoragePath
from service.tracking.location import artifacts_of, database_file, embedded_store

PATIENCE = 60.0
"""Seconds to wait for other sweeps that write to the same database."""


def follow_move(runs: StoragePath) -> None:
    """Have the embedded store of `runs` know that its artifacts lie beside it.

    MLflow keeps their whole path, with the experiment and with each run, and has no way to change it: after a
    move it would show none of the old ones, and make the old folder again for the new ones.
    """
    if isinstance(runs, ObjectPath):
        return
    uri = embedded_store(runs)
    file, artifacts = database_file(uri), artifacts_of(runs, uri)
    assert file is not None and artifacts is not None
    if not file.is_file():
        return
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as database, database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
            return  # it is being made
        for number, location in database.execute(
            "SELECT experiment_id, artifact_location FROM experiments WHERE artifact_location IS NOT NULL"
        ).fetchall():
            before = Path(unquote(urlsplit(location).path))
            now = artifacts / before.name
            if before.parent.name == artifacts.name and _has_moved(before, now):
                _rename(database, number, location, now.as_uri())


def _has_moved(before: Path, now: Path) -> bool:
    """Whether a folder is no longer where it was, or is a copy of that; not if another path leads there."""
    if now.exists():
        return not (before.exists() and before.samefile(now))
    return not before.exists()


def _rename(database: sqlite3.Connection, experiment: int, before: str, now: str) -> None:
    database.execute(
        "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (now, experiment)
    )
    database.execute(
        "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) "
        "WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
        (now, len(before) + 1, experiment, len(before) + 1, f"{before}/"),
    )
