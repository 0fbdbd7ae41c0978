"""A table written out for people and other programs."""

import csv
import json
import math
from collections.abc import Sequence
from typing import IO, Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from model.fields import no_such
from service.errors import Fault, UserError

Format = Literal["table", "csv", "parquet", "json"]

SHOWN_ROWS = 200
"""Rows that the format `table` shows at most."""
SHOWN_WIDTH = 40
"""Characters of a text that it shows at most."""
_BATCH = 10_000


def arranged(
    table: pa.Table,
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    limit: int | None = None,
    first: Sequence[str] = (),
) -> pa.Table:
    """The rows of a table as they are asked for.

    Args:
        table: the rows.
        columns: the columns that are kept, in this order; None: all, those of `first` before the others.
        sort: the column that rows are ordered by; with a `-` before it the largest first; nulls are last.
        limit: so many rows at most.
        first: see above.

    Raises UserError if there is no such column, or lists would be ordered.
    """
    sort_by = (sort or "").removeprefix("-")
    asked = [("--columns", name) for name in columns or ()] + ([("--sort", sort_by)] if sort else [])
    faults = [
        Fault(option, name, no_such("column", name, table.column_names))
        for option, name in asked
        if name not in table.column_names
    ]
    if not faults and sort and pa.types.is_list(table.schema.field(sort_by).type):
        faults = [Fault("--sort", sort_by, "holds lists, which have no order; choose another column")]
    if faults:
        raise UserError(faults)
    if sort:
        table = table.sort_by([(sort_by, "descending" if sort.startswith("-") else "ascending")])
    ahead = [name for name in dict.fromkeys(first) if name in table.column_names]
    names = columns or [*ahead, *(name for name in table.column_names if name not in ahead)]
    return table.select(list(names)).slice(0, limit)


def write(table: pa.Table, format: Format, stream: IO[Any]) -> None:
    """Write `table` to the text stream `stream`, `parquet` to the binary one beneath it.

    Formats:
        table: fitted to the terminal, real numbers to 4 significant digits; what is left out is said.
        csv: a line per row, lists as JSON, null as nothing.
        json: a list of objects; JSON has no NaN and no infinity: they become null.
        parquet: with all types, for pandas and the like.

    Raises:
        UserError: if `format` is none of these, or Parquet would go to a terminal.
    """
    if format not in get_args(Format):
        raise UserError([Fault("--format", format, f"expected one of {', '.join(get_args(Format))}")])
    {"table": _write_table, "csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[format](
        table, stream
    )


def _write_parquet(table: pa.Table, stream: IO[Any]) -> None:
    if stream.isatty():
        raise UserError([Fault("--format", "parquet", "is not for a terminal; add `> FILE`")])
    pq.write_table(table, getattr(stream, "buffer", stream))


def _write_csv(table: pa.Table, stream: IO[Any]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches(max_chunksize=_BATCH):
        columns = [
            [json.dumps(v) if isinstance(v, list) else v for v in column.to_pylist()] for column in batch
        ]
        writer.writerows(zip(*columns, strict=True))


def _write_json(table: pa.Table, stream: IO[Any]) -> None:
    separator = "[\n"
    for batch in table.to_batches(max_chunksize=_BATCH):
        for row in batch.to_pylist():
            stream.write(separator + json.dumps({name: _finite(value) for name, value in row.items()}))
            separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_table(table: pa.Table, stream: IO[Any]) -> None:
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    shown = table.slice(0, SHOWN_ROWS)
    empty = {name for name in table.column_names if len(table) and table[name].null_count == len(table)}
    cells = {
        name: [_cell(v) for v in shown[name].to_pylist()] for name in table.column_names if name not in empty
    }
    fitting = _fitting({name: max(map(len, [name, *texts])) for name, texts in cells.items()}, console.width)
    grid = Table(box=None, pad_edge=False)
    for name in fitting:
        kind = table.schema.field(name).type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        grid.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in zip(*(cells[name] for name in fitting), strict=True):
        grid.add_row(*row)
    console.print(grid)
    if not len(table):
        console.print("no rows")
    if len(table) > len(shown):
        console.print(
            f"{len(shown)} of {len(table)} rows; choose with --where, or have all with --format csv"
        )
    hidden = [name for name in cells if name not in fitting]
    if hidden:
        console.print(
            f"without room: {', '.join(hidden)}; choose with --columns, or have all with --format csv"
        )


def _fitting(widths: dict[str, int], room: int) -> list[str]:
    """The columns, from the left, that fit into `room` characters; at least one."""
    fitting: list[str] = []
    for name, width in widths.items():
        room -= width + 2
        if room < -2 and fitting:  # the last column needs no gap after it
            break
        fitting.append(name)
    return fitting


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_cell, value)) + "]"
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= SHOWN_WIDTH else text[: SHOWN_WIDTH - 1] + "…"
