"""A table on disk: a folder of Parquet files part-000000.parquet, part-000001.parquet, ...

All but the last are sealed, that is never written again; the last is replaced as a whole when rows are added.
So a reader that lists the folder and opens the files in that order sees each row once, at any moment. A
`pyarrow.dataset` object held over a replacement must be made anew: it remembers where columns began.
Each part carries the sequence number of the last log entry whose rows it holds.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from service.errors import SweepError

ROW_GROUP = 16_384
"""Rows that a filter on one trial reads at least."""
SEQUENCE = b"polychrony_sequence"

_FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def part_path(folder: Path, number: int) -> Path:
    """The file of part `number`, counted from 0."""
    return folder / f"part-{number:06d}.parquet"


def list_parts(folder: Path) -> list[Path]:
    """The parts of a table in order; hidden files, which are being written, are not among them.

    Raises SweepError if a part is missing or there is a file that is none.
    """
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in paths:
        if not re.fullmatch(r"part-\d{6}\.parquet", path.name):
            raise SweepError(f"{path}: this file is no part of the table; move it elsewhere")
    for number, path in enumerate(paths):
        if path != part_path(folder, number):
            raise SweepError(
                f"{part_path(folder, number)}: this part of the table is missing; restore it from a copy"
            )
    return paths


def write_part(path: Path, table: pa.Table, sequence: int) -> None:
    """Write or replace a part as a whole: after a crash it is there in its old or its new form.

    Raises SweepError if it can't be written; the old form is then still there.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    stamped = table.replace_schema_metadata({SEQUENCE: str(sequence)})
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    try:
        with temporary.open("wb") as file:
            pq.write_table(
                stamped,
                file,
                compression="zstd",
                use_dictionary=texts,  # real numbers rarely repeat: a dictionary costs time and gains nothing
                row_group_size=ROW_GROUP,
                write_page_checksum=True,
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SweepError(
            f"{path}: can't be written ({error.strerror or error}); free some space or make the folder "
            "writable, then run the sweep again: no row is lost"
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove files that a crash left half written."""
    for path in folder.glob(".part-*.tmp"):
        path.unlink()


def read_schema(path: Path) -> tuple[pa.Schema, int]:
    """The schema of a part and the sequence number of the last log entry in it."""
    with _opened(path) as fragment:
        schema = fragment.physical_schema
    return schema.remove_metadata(), _sequence(path, schema)


def read_part(
    path: Path,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    """The rows of a part for which `where` holds; columns of `schema` that it does not have are null."""
    with _opened(path) as fragment:
        _sequence(path, fragment.physical_schema)
        table = fragment.to_table(schema=schema, columns=columns and list(columns), filter=where)
    return table.replace_schema_metadata(None)


def read_table(
    folder: Path, columns: Sequence[str] | None = None, where: pc.Expression | None = None
) -> pa.Table:
    """The rows of a table for which `where` holds, in the order in which they were written."""
    paths = list_parts(folder)
    schema = table_schema(folder)
    return pa.concat_tables([read_part(path, schema, columns, where) for path in paths])


def table_schema(folder: Path) -> pa.Schema:
    """The columns of all parts of a table together."""
    common = pa.schema([])
    for path in list_parts(folder):
        schema = read_schema(path)[0]
        try:
            common = pa.unify_schemas([common, schema], promote_options="permissive")
        except pa.ArrowException as error:
            raise SweepError(
                f"{path}: this part does not fit those before it ({error}); restore it from a copy, "
                "or move the file elsewhere if it is not the sweep's"
            ) from error
    return common


@contextmanager
def _opened(path: Path) -> Iterator[ds.ParquetFileFragment]:
    """The part as a fragment over one open file, so that a replacement in between does not matter."""
    try:
        with pa.OSFile(str(path)) as file:
            yield _FORMAT.make_fragment(file)
    except (pa.ArrowException, OSError) as error:
        raise SweepError(
            f"{path}: this part of the table can't be read ({error}); restore it from a copy, "
            "or start the sweep anew under another name"
        ) from error


def _sequence(path: Path, schema: pa.Schema) -> int:
    value = (schema.metadata or {}).get(SEQUENCE, b"")
    if not value.isdigit():
        raise SweepError(f"{path}: this file was not written by a sweep; move it elsewhere")
    return int(value)


def _sync_folder(folder: Path) -> None:
    """Make a replacement last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
