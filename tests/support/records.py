"""A record with rows made up, and how it is looked at from outside."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.record.parts import read_table
from service.record.record import Record
from service.record.schema import make_schemas
from service.storage.paths import StoragePath, list_folder

SCHEMAS = make_schemas({"hidden": pa.int64(), "embedding": pa.string()}, ["modularity"])


class Clock:
    """Time that passes only by `now += seconds`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def epoch_rows(trial: int, *epochs: int) -> list[dict[str, Any]]:
    return [
        {"trial": trial, "replicate": r, "epoch": e, "loss": (trial + e) / 7}
        for e in epochs
        for r in range(2)
    ]


def crash(record: Record) -> None:
    """Ends the record as SIGKILL would: nothing is flushed."""
    record._log.close()


def on_disk(folder: StoragePath, table: str) -> pa.Table:
    return read_table(folder / "tables" / table)


def log_files(home: StoragePath) -> list[StoragePath]:
    """The file of the log; its segments on an object store."""
    return [home / "log.jsonl"] if isinstance(home, Path) else list_folder(home / "log.jsonl")


def sizes(folder: StoragePath) -> list[int]:
    """Rows of each part."""
    return [pq.read_metadata(pa.BufferReader(path.read_bytes())).num_rows for path in list_folder(folder)]
