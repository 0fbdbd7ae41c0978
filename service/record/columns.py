"""Rows brought into the columns of a table."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa


class Converter:
    """Makes tables of one schema. What is not given is null.

    All methods raise ValueError if a column is given that is not in the schema, a value has another type than
    its column, or a key has no value.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._names = set(schema.names)
        self._integers = [field.name for field in schema if pa.types.is_integer(field.type)]
        self._keys = [n for n, field in enumerate(schema) if not field.nullable]
        self._row = pa.struct(list(schema))

    def from_rows(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """A table of rows that map columns to values."""
        for row in rows:
            self._check_names(row)
        try:  # all columns in one conversion, which is four times as fast as one by one
            for name in self._integers:
                _whole(row.get(name) for row in rows)
            table = pa.Table.from_struct_array(pa.array(rows, self._row))
        except (pa.ArrowException, OverflowError, TypeError):  # one by one, to tell the one at fault
            return self.from_columns({name: [row.get(name) for row in rows] for name in self.schema.names})
        return self._checked(table)

    def from_columns(self, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
        """A table of columns, all of the same length."""
        self._check_names(columns)
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths {sorted(lengths)}")
        missing = [None] * max(lengths, default=0)
        arrays = [_array(columns.get(field.name, missing), field) for field in self.schema]
        return self._checked(pa.Table.from_arrays(arrays, schema=self.schema))

    def from_table(self, table: pa.Table) -> pa.Table:
        """A table whose columns are put in order and cast."""
        self._check_names(table.column_names)
        present = set(table.column_names)
        missing = [None] * len(table)
        arrays = [
            _cast(table[field.name], field) if field.name in present else _array(missing, field)
            for field in self.schema
        ]
        return self._checked(pa.Table.from_arrays(arrays, schema=self.schema))

    def _check_names(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._names]
        if unknown:
            raise ValueError(f"there is no column `{unknown[0]}`")

    def _checked(self, table: pa.Table) -> pa.Table:
        for n in self._keys:
            if table.column(n).null_count:
                raise ValueError(f"column `{self.schema.names[n]}` must have a value in every row")
        return table


def _whole(values: Iterable[Any]) -> list[int | None]:
    """The values as integers; pyarrow would take 1.5 for 1. Raises TypeError for what is none."""
    return [None if value is None else operator.index(value) for value in values]


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    try:
        return pa.array(_whole(values) if pa.types.is_integer(field.type) else values, field.type)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise ValueError(f"column `{field.name}` holds {field.type}: {error}") from error


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    if not pa.types.is_null(column.type) and _kind(column.type) != _kind(field.type):  # "1" is not 1
        raise ValueError(f"column `{field.name}` holds {field.type}, got {column.type}")
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise ValueError(f"column `{field.name}` holds {field.type}: {error}") from error


def _kind(column: pa.DataType) -> str:
    """What can be cast to each other: all numbers, and lists of them."""
    if pa.types.is_list(column):
        return f"list of {_kind(column.value_type)}"
    return "number" if pa.types.is_integer(column) or pa.types.is_floating(column) else str(column)
