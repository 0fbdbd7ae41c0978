"""The record of a sweep: what was appended stays, through a kill at any moment, and counts once.

    <folder>/tables/<table>/part-*.parquet     rows that were flushed
    <folder>/log.jsonl                         rows since then

A row is first written to the log, and from there to its table by and by. Each part of a table says up to
which log entry it goes, so that after a crash exactly the entries that are not in a table yet are replayed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias

import pyarrow as pa

from service.errors import SweepError
from service.record.columns import Converter
from service.record.table import TableWriter
from service.record.wal import Entry, Log
from service.storage.paths import ObjectPath, StoragePath

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pa.Table

PART_ROWS = 100_000
FLUSH_ROWS = 20_000
FLUSH_SECONDS = 2.0
STORE_FLUSH_SECONDS = 10.0
"""On an object store, where whoever reads the last part piece by piece must do so between two flushes."""
FLUSH_SHARE = 20
"""Between flushes at least this many times the duration of the last: flushing costs 5 % at most."""


class Record:
    """The tables of a sweep, open for writing; see `open`. Let a folder have one writer at a time."""

    def __init__(
        self,
        log: Log,
        writers: dict[str, TableWriter],
        flush_rows: int,
        flush_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._log = log
        self._writers = writers
        self._flush_rows = flush_rows
        self._flush_seconds = flush_seconds
        self._clock = clock
        self._states: dict[int, str] = {}
        self._last_epochs: dict[int, int] = {}
        self._sequence = max(writer.flushed for writer in writers.values())
        self._replay()
        for name in writers:
            self._note(name, writers[name].rows(_NOTED.get(name, [])))
        self._flushed_at = clock()
        self._flush_cost = 0.0
        self._interrupted = False

    @classmethod
    def open(
        cls,
        folder: StoragePath,
        schemas: Mapping[str, pa.Schema],
        *,
        part_rows: int = PART_ROWS,
        flush_rows: int = FLUSH_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Make the record in the sweep's `folder`, or take up the one that is there.

        Columns of `schemas` that a stored table does not have yet are null in its rows.

        Raises:
            SweepError: if a file of the record is damaged, missing, not ours or can't be written, naming it.
        """
        try:
            writers = {
                name: TableWriter(folder / "tables" / name, schema, part_rows)
                for name, schema in schemas.items()
            }
            log = Log(folder / "log.jsonl")
        except OSError as error:
            raise SweepError(
                f"{error.filename}: {error.strerror}; make the sweep's folder accessible"
            ) from error
        try:
            pause = STORE_FLUSH_SECONDS if isinstance(folder, ObjectPath) else FLUSH_SECONDS
            return cls(log, writers, flush_rows, pause, clock)
        except SweepError:
            log.close()
            raise

    def append(self, table: str, rows: Rows) -> None:
        """Record rows of one table; see `append_all`."""
        self.append_all({table: rows})

    def append_all(self, tables: Mapping[str, Rows]) -> None:
        """Record rows of several tables, all or none. On return they outlive the process.

        Raises:
            ValueError: if a row does not fit its table, or a trial is in `trials` already (nothing is added).
            SweepError: if the disk is full or the like; what is said to be recorded stays recorded.
        """
        batches = {name: _batch(rows, self._writers[name].convert) for name, rows in tables.items()}
        if "trials" in batches:
            self._check_new(batches["trials"]["trial"].to_pylist())
        self._sequence += (
            1  # first of all, so that an append that is interrupted can't leave its number twice
        )
        entry = Entry(self._sequence, {name: batch.to_pydict() for name, batch in batches.items()})
        with self._uninterrupted():
            self._log.append(entry)
            for name, batch in batches.items():
                self._writers[name].add(self._sequence, batch)
                self._note(name, batch)
        self.poll()

    def poll(self) -> None:
        """Flush if it is time, or if many rows wait."""
        waiting = sum(writer.waiting for writer in self._writers.values())
        pause = max(self._flush_seconds, FLUSH_SHARE * self._flush_cost)
        if waiting >= self._flush_rows or (waiting and self._clock() >= self._flushed_at + pause):
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait to their tables. Raises SweepError if that can't be done; they wait on."""
        if self._interrupted:
            return
        start = self._clock()
        with self._uninterrupted():
            for writer in self._writers.values():
                writer.flush()
            self._log.clear()
        self._flushed_at = self._clock()
        self._flush_cost = self._flushed_at - start

    def close(self) -> None:
        """Flush, and close the log."""
        try:
            self.flush()
        finally:
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows of a table, flushed or not, in the order in which they were appended."""
        return self._writers[table].rows(columns)

    def finished_trials(self) -> dict[int, str]:
        """State of every trial that is finished, which is to say, has its row in `trials`."""
        return dict(self._states)

    def last_epoch(self, trial: int) -> int | None:
        """The last epoch of a trial in `epochs`, or None if there is none."""
        return self._last_epochs.get(trial)

    @contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """After ctrl-C in between, memory may lack rows that the log has: it then stays, to be replayed."""
        try:
            yield
        except SweepError:
            raise
        except BaseException:
            self._interrupted = True
            raise

    def _replay(self) -> None:
        for entry in self._log.entries:
            for name, columns in entry.tables.items():
                writer = self._writers.get(name)
                if writer is None:
                    raise SweepError(f"{entry.place}: there is no table `{name}`; {_REPLAY_CURE}")
                if entry.sequence > writer.flushed:
                    try:
                        writer.add(entry.sequence, writer.convert.from_columns(columns))
                    except (ValueError, TypeError, AttributeError) as error:
                        raise SweepError(f"{entry.place}: table `{name}`: {error}; {_REPLAY_CURE}") from error
            self._sequence = max(self._sequence, entry.sequence)

    def _check_new(self, trials: list[int]) -> None:
        known = [trial for trial in trials if trial in self._states]
        repeated = [trial for trial, count in Counter(trials).items() if count > 1]
        if known or repeated:
            raise ValueError(f"trial {[*known, *repeated][0]} is in `trials` already; a trial finishes once")

    def _note(self, name: str, rows: pa.Table) -> None:
        """Keep in mind what the driver asks for trial by trial."""
        if name == "trials":
            self._states.update(zip(rows["trial"].to_pylist(), rows["state"].to_pylist(), strict=True))
        elif name == "epochs":
            for trial, epoch in zip(rows["trial"].to_pylist(), rows["epoch"].to_pylist(), strict=True):
                self._last_epochs[trial] = max(epoch, self._last_epochs.get(trial, epoch))


_NOTED = {"trials": ["trial", "state"], "epochs": ["trial", "epoch"]}
_REPLAY_CURE = "go on with the version that wrote it, or restore the file from a copy"


def _batch(rows: Rows, convert: Converter) -> pa.Table:
    return convert.from_table(rows) if isinstance(rows, pa.Table) else convert.from_rows(rows)
