"""The write-ahead log: rows that are recorded but not in a table's files yet, one JSON entry a line.

An entry is {"sequence": n, "tables": {table: {column: values}}}; its rows count all or none. It is with the
operating system before `append` returns, so it outlives the process, killed or not. NaN and infinities stand
as Python's json writes them.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import SweepError

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Entry:
    """Rows that were recorded together, and the place in the log where they stand."""

    sequence: int
    tables: dict[str, Columns]
    place: str = ""


class Log:
    """The log at `path`, made if it is not there; `entries` are those it was found to hold.

    A last line without an end was torn by a crash: it was never acknowledged, and is written over.
    Raises SweepError if another line is not an entry, or the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        self._length = content.rfind(b"\n") + 1
        self.entries = _entries(path, content[: self._length])
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._unwritable(error) from error

    def append(self, entry: Entry) -> None:
        """Add an entry. Raises SweepError if it can't be written; the log is then as before."""
        line = json.dumps({"sequence": entry.sequence, "tables": entry.tables}, separators=(",", ":"))
        data = line.encode() + b"\n"
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self._length + written)
        except BaseException as error:  # one that is interrupted must not stay, either
            os.ftruncate(self._descriptor, self._length)
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise
        self._length += len(data)
        if "trials" in entry.tables:  # what the study is told next is on disk, too, and must not be ahead
            os.fsync(self._descriptor)

    def clear(self) -> None:
        """Drop all entries."""
        os.ftruncate(self._descriptor, 0)
        self._length = 0

    def close(self) -> None:
        """Close the file; its entries stay."""
        os.close(self._descriptor)

    def _unwritable(self, error: OSError) -> SweepError:
        return SweepError(
            f"{self.path}: can't be written ({error.strerror}); free some space or make the folder writable, "
            "then run the sweep again: it goes on from what is recorded"
        )


def _entries(path: Path, content: bytes) -> list[Entry]:
    entries: list[Entry] = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        place = f"{path}:{number}"
        try:
            fields = json.loads(line)
            entry = Entry(int(fields["sequence"]), dict(fields["tables"]), place)
        except (ValueError, KeyError, TypeError) as error:
            raise SweepError(
                f"{place}: this is no entry of the log; restore the file from a copy, "
                "or remove the line, whose rows are then lost"
            ) from error
        if entries and entry.sequence <= entries[-1].sequence:
            raise SweepError(f"{place}: entry {entry.sequence} is out of order; restore the file from a copy")
        entries.append(entry)
    return entries
