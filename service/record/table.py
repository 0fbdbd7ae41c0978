"""The one writer of a table: rows wait in memory, and are flushed into the last part."""

from collections.abc import Sequence

import pyarrow as pa

from service.errors import SweepError
from service.record.columns import Converter
from service.record.parts import (
    list_parts,
    part_path,
    read_part,
    read_schema,
    write_part,
)
from service.storage.paths import StoragePath


class TableWriter:
    """Adds rows to the table in `folder`, which is made with an empty part if it is not there.

    A part is sealed when it has `part_rows` rows or more; rows added together are never parted.
    Raises SweepError if a part is missing, damaged or not ours, or has columns that don't fit `schema`.
    """

    def __init__(self, folder: StoragePath, schema: pa.Schema, part_rows: int) -> None:
        self.folder = folder
        self.schema = schema
        self.convert = Converter(schema)
        self._part_rows = part_rows
        self._pending: list[tuple[int, pa.Table]] = []
        self.waiting = 0
        """Rows that are not in the files yet."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = list_parts(folder)
        if not paths:
            paths = [part_path(folder, 0)]
            write_part(paths[0], schema.empty_table(), sequence=0)
        for path in paths:
            self._upgrade(path)
        self.flushed = read_schema(paths[-1])[1]
        """Sequence number of the last log entry in the files."""
        self._number = len(paths) - 1
        self._tail = read_part(paths[-1], schema)
        self._seal_if_full()

    def add(self, sequence: int, rows: pa.Table) -> None:
        """Add rows of log entry `sequence`."""
        self._pending.append((sequence, rows))
        self.waiting += len(rows)

    def flush(self) -> None:
        """Write what waits. Raises SweepError if it can't be written; those rows then wait on."""
        while self._pending:
            rows = [self._tail]
            size = len(self._tail)
            taken = 0
            while taken < len(self._pending) and size < self._part_rows:
                rows.append(self._pending[taken][1])
                size += len(rows[-1])
                taken += 1
            sequence = self._pending[taken - 1][0]
            tail = pa.concat_tables(rows).combine_chunks()
            write_part(part_path(self.folder, self._number), tail, sequence)
            self.waiting -= size - len(self._tail)
            del self._pending[:taken]
            self._tail, self.flushed = tail, sequence
            self._seal_if_full()

    def rows(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows, flushed or not."""
        names = list(columns or self.schema.names)
        numbers = range(self._number)
        sealed = [read_part(part_path(self.folder, n), self.schema, names, sealed=True) for n in numbers]
        waiting = [rows.select(names) for _, rows in self._pending]
        return pa.concat_tables([*sealed, self._tail.select(names), *waiting])

    def _seal_if_full(self) -> None:
        if len(self._tail) >= self._part_rows:
            self._number += 1
            self._tail = self.schema.empty_table()

    def _upgrade(self, path: StoragePath) -> None:
        """Rewrite a part of an older version, so that all parts have the same columns."""
        schema, sequence = read_schema(path)
        if schema.equals(self.schema):
            return
        try:
            rows = self.convert.from_table(read_part(path, schema))
        except ValueError as error:
            raise SweepError(
                f"{path}: this part does not fit the sweep ({error}); go on with the version that wrote it, "
                "or start the sweep anew under another name"
            ) from error
        write_part(path, rows, sequence)
