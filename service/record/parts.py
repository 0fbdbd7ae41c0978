"""A table on disk: a folder of Parquet files part-000000.parquet, part-000001.parquet, ...

All but the last are sealed, that is never written again; the last is replaced as a whole when rows are added.
So a reader that lists the folder and opens the files in that order sees each row once, at any moment. A
`pyarrow.dataset` object held over a replacement must be made anew: it remembers where columns began. On an
object store any reading of the last part may be overtaken so, if done piece by piece; we fetch it at once.
Each part carries the sequence number of the last log entry whose rows it holds.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from service.errors import SweepError
from service.storage.atomic import write_whole
from service.storage.paths import ObjectPath, StoragePath, list_folder

ROW_GROUP = 16_384
"""Rows that a filter on one trial reads at least."""
SEQUENCE = b"polychrony_sequence"
CHECKSUM = b"polychrony_checksum"
NO_CHECKSUM = b"00000000"
FOOTER = 64 * 1024
"""Bytes at the end of a part that are read first, which mostly hold all of its footer."""

_CHECKSUM = re.compile(rb"(polychrony_checksum..)([0-9a-f]{8})", re.DOTALL)


def part_path(folder: StoragePath, number: int) -> StoragePath:
    """The file of part `number`, counted from 0."""
    return folder / f"part-{number:06d}.parquet"


def list_parts(folder: StoragePath) -> list[StoragePath]:
    """The parts of a table in order.

    Files that nobody takes for parts are passed over: hidden ones, which are being written or which a file
    manager has left, and those that are no Parquet.

    Raises SweepError if a part is missing, or if there is a Parquet file that is none: others that read the
    folder would take its rows for the sweep's.
    """
    paths = [path for path in list_folder(folder) if _may_be_part(path.name)]
    for path in paths:
        if not re.fullmatch(r"part-\d{6}\.parquet", path.name):
            raise SweepError(f"{path}: this file is no part of the table; move it elsewhere")
    for number, path in enumerate(paths):
        if path != part_path(folder, number):
            raise SweepError(
                f"{part_path(folder, number)}: this part of the table is missing; restore it from a copy"
            )
    return paths


def _may_be_part(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith((".", "_"))


def write_part(path: StoragePath, table: pa.Table, sequence: int) -> None:
    """Write or replace a part as a whole: after a crash it is there in its old or its new form.

    Raises SweepError if it can't be written; the old form is then still there.
    """
    stamps = {SEQUENCE: str(sequence), CHECKSUM: NO_CHECKSUM}
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(stamps),
        sink,
        compression="zstd",
        use_dictionary=texts,  # real numbers rarely repeat: a dictionary costs time and gains nothing
        row_group_size=ROW_GROUP,
        write_page_checksum=True,
    )
    write_whole(path, _with_checksum(sink.getvalue().to_pybytes()))


def read_schema(path: StoragePath, sealed: bool = False) -> tuple[pa.Schema, int]:
    """The schema of a part and the sequence number of the last log entry in it."""
    with _opened(path, sealed) as file:
        schema = pq.ParquetFile(file).schema_arrow
    return schema.remove_metadata(), _sequence(path, schema)


def read_part(
    path: StoragePath,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
    sealed: bool = False,
) -> pa.Table:
    """The rows of a part for which `where` holds; columns of `schema` that it does not have are null.

    If it is known to be `sealed`, an object store is asked only for what is needed of it.
    """
    with _opened(path, sealed) as file:
        part = pq.ParquetFile(file, page_checksum_verification=True)
        _sequence(path, part.schema_arrow)
        names = list(columns) if columns is not None else schema.names
        if where is not None:
            return _filtered(file, schema, names, where).replace_schema_metadata(None)
        wanted = pa.schema([schema.field(name) for name in names])
        there = part.read([name for name in names if name in part.schema_arrow.names])
        absent = pa.nulls(part.metadata.num_rows)
        found = [there[name] if name in there.column_names else absent for name in names]
        return pa.table([column.cast(one.type) for column, one in zip(found, wanted, strict=True)], wanted)


def _filtered(file: pa.NativeFile, schema: pa.Schema, columns: list[str], where: pc.Expression) -> pa.Table:
    """The rows of an open part for which `where` holds, of which row groups without any are not read."""
    import pyarrow.dataset as ds  # it loads pandas, for which `list` and `status` should not wait

    checked = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    fragment = ds.ParquetFileFormat(default_fragment_scan_options=checked).make_fragment(file)
    return fragment.to_table(schema=schema, columns=columns, filter=where)


def read_table(
    folder: StoragePath, columns: Sequence[str] | None = None, where: pc.Expression | None = None
) -> pa.Table:
    """The rows of a table for which `where` holds, in the order in which they were written."""
    parts = _listed(folder)
    schema = table_schema(folder)
    return pa.concat_tables([read_part(path, schema, columns, where, sealed) for path, sealed in parts])


def table_schema(folder: StoragePath) -> pa.Schema:
    """The columns of all parts of a table together."""
    common = pa.schema([])
    for path, sealed in _listed(folder):
        schema = read_schema(path, sealed)[0]
        try:
            common = pa.unify_schemas([common, schema], promote_options="permissive")
        except pa.ArrowException as error:
            raise SweepError(
                f"{path}: this part does not fit those before it ({error}); restore it from a copy, "
                "or move the file elsewhere if it is not the sweep's"
            ) from error
    return common


def _listed(folder: StoragePath) -> list[tuple[StoragePath, bool]]:
    """The parts of a table in order, and whether they are sealed."""
    paths = list_parts(folder)
    return [(path, path is not paths[-1]) for path in paths]


@contextmanager
def _opened(path: StoragePath, sealed: bool) -> Iterator[pa.NativeFile]:
    """The part as one open, checked file, so that a replacement in between does not matter."""
    try:
        with _source(path, sealed) as file:
            _check(file)
            yield file
    except (pa.ArrowException, OSError) as error:
        raise SweepError(
            f"{path}: this part of the table can't be read ({error}); restore it from a copy, "
            "or start the sweep anew under another name"
        ) from error


def _source(path: StoragePath, sealed: bool) -> pa.NativeFile:
    if not isinstance(path, ObjectPath):
        return pa.OSFile(str(path))
    return path.open() if sealed else pa.BufferReader(path.read_bytes())


def _with_checksum(content: bytes) -> bytes:
    """A part with the checksum of its footer, in the footer; pages have theirs."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[start:]
    return content[:start] + _stamped(footer, b"%08x" % zlib.crc32(footer))


def _check(file: pa.NativeFile) -> None:
    """Raises OSError if the footer of a part is damaged. One of an older version has no checksum."""
    size = file.size()
    end = file.read_at(min(size, FOOTER), max(0, size - FOOTER))
    length = int.from_bytes(end[-8:-4], "little") + 8
    footer = end[-length:] if length <= len(end) else file.read_at(min(size, length), max(0, size - length))
    found = _CHECKSUM.search(footer)
    if found and zlib.crc32(_stamped(footer, NO_CHECKSUM)) != int(found[2], 16):
        raise OSError("its footer is damaged")


def _stamped(footer: bytes, checksum: bytes) -> bytes:
    return _CHECKSUM.sub(lambda found: found[1] + checksum, footer, count=1)


def _sequence(path: StoragePath, schema: pa.Schema) -> int:
    value = (schema.metadata or {}).get(SEQUENCE, b"")
    if not value.isdigit():
        raise SweepError(f"{path}: this file was not written by a sweep; move it elsewhere")
    return int(value)
