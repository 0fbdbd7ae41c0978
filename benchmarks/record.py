"""What the record costs: 10,000 trials of 100 epochs written and read, beside a Parquet file per trial.

    python -m benchmarks.record [--trials 10000]

(`-m`, from the repository: by its path, service.py beside it would be taken for the package `service`.)

Rows are appended epoch by epoch, with 32 trials running at once, as a driver does.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from service.config.metrics import METRICS
from service.record.parts import read_table
from service.record.record import Record
from service.record.schema import make_schemas

EPOCHS = 100
CONCURRENT = 32
FEWER = 20
"""A file per trial is measured on this many times fewer trials, and scaled."""


def rows_of(trials: int) -> Iterator[dict[str, Any]]:
    """Rows of `epochs`, a row per epoch, with `CONCURRENT` trials interleaved."""
    rng = np.random.default_rng(0)
    for first in range(0, trials, CONCURRENT):
        for epoch in range(EPOCHS):
            for trial in range(first, min(first + CONCURRENT, trials)):
                values = dict(zip(METRICS, rng.random(len(METRICS)).tolist(), strict=True))
                yield {"trial": trial, "replicate": 0, "epoch": epoch, **values}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """The least duration of ten (s), and the result."""
    durations = []
    for _ in range(10):
        start = time.perf_counter()
        result = work()
        durations.append(time.perf_counter() - start)
    return min(durations), result


def write_record(folder: Path, trials: int) -> tuple[float, float, float]:
    """Seconds in `append` without flushes, in flushes, and of the longest flush."""
    flushes: list[float] = []
    appending = 0.0
    with Record.open(folder, make_schemas()) as record:
        flush = record.flush

        def timed_flush() -> None:
            start = time.perf_counter()
            flush()
            flushes.append(time.perf_counter() - start)

        record.flush = timed_flush  # type: ignore[method-assign]
        for row in rows_of(trials):
            start = time.perf_counter()
            record.append("epochs", [row])
            appending += time.perf_counter() - start
    return appending - sum(flushes[:-1]), sum(flushes), max(flushes)


def write_files(folder: Path, trials: int) -> None:
    """A Parquet file per trial."""
    schema = make_schemas()["epochs"]
    rows = sorted(rows_of(trials), key=lambda row: row["trial"])
    for trial in range(trials):
        part = pa.Table.from_pylist(rows[trial * EPOCHS : (trial + 1) * EPOCHS], schema=schema)
        pq.write_table(part, folder / f"trial-{trial:06d}.parquet")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    trials: int = parser.parse_args().trials
    total = trials * EPOCHS
    with tempfile.TemporaryDirectory() as name:
        record, files = Path(name, "record"), Path(name, "files")
        files.mkdir()
        appending, flushing, longest = write_record(record, trials)
        epochs = record / "tables" / "epochs"
        loading, frame = timed(lambda: pd.read_parquet(epochs))
        assert len(frame) == total
        chosen = trials * 2 // 3
        filtering, rows = timed(lambda: read_table(epochs, where=pc.field("trial") == chosen))
        assert len(rows) == EPOCHS
        reopening, _ = timed(lambda: Record.open(record, make_schemas()).close())
        size = sum(path.stat().st_size for path in epochs.iterdir())
        everything = sum(path.is_file() for path in record.rglob("*"))
        write_files(files, trials // FEWER)
        loading_files, frame = timed(lambda: pd.read_parquet(files))
        assert len(frame) == trials // FEWER * EPOCHS
    print(f"{trials} trials x {EPOCHS} epochs = {total} rows of `epochs`")
    print(f"append               {appending / total * 1e6:8.0f} us a row")
    print(f"flush                {flushing:8.1f} s in all, the longest {longest * 1e3:.0f} ms")
    print(f"files                {everything:8d} in all, {size / total:.0f} bytes a row")
    print(f"files, one a trial   {trials:8d}")
    print(f"load into pandas     {loading * 1e3:8.0f} ms")
    print(f"load, file a trial   {loading_files * FEWER * 1e3:8.0f} ms ({trials // FEWER} trials, scaled)")
    print(f"filter to one trial  {filtering * 1e3:8.0f} ms")
    print(f"reopen for writing   {reopening * 1e3:8.0f} ms")


if __name__ == "__main__":
    main()
