"""The write-ahead log: rows that are recorded but not in a table's files yet, one JSON entry a line.

An entry is {"sequence": n, "tables": {table: {column: values}}}; its rows count all or none. It is with the
operating system, or on the object store, before `append` returns, so it outlives the process, killed or not.
NaN and infinities stand as Python's json writes them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import SweepError
from service.storage.journal import Line, open_journal
from service.storage.paths import StoragePath

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Entry:
    """Rows that were recorded together, and the place in the log where they stand."""

    sequence: int
    tables: dict[str, Columns]
    place: str = ""


class Log:
    """The log at `path`, made if it is not there; `entries` are those it was found to hold.

    Raises SweepError if a line is not an entry, or the file can't be opened.
    """

    def __init__(self, path: StoragePath) -> None:
        self._journal = open_journal(path)
        try:
            self.entries = _entries(self._journal.lines)
        except SweepError:
            self._journal.close()
            raise

    def append(self, entry: Entry) -> None:
        """Add an entry. Raises SweepError if it can't be written; the log is then as before."""
        line = json.dumps({"sequence": entry.sequence, "tables": entry.tables}, separators=(",", ":"))
        # What the study is told next is on disk, too, and must not be ahead.
        self._journal.append(line.encode(), sync="trials" in entry.tables)

    def clear(self) -> None:
        """Drop all entries."""
        self._journal.clear()

    def close(self) -> None:
        """Close the file; its entries stay."""
        self._journal.close()


def _entries(lines: Sequence[Line]) -> list[Entry]:
    entries: list[Entry] = []
    for place, content in lines:
        try:
            fields = json.loads(content)
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
