import random
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from service.errors import SweepError
from service.record.parts import (
    list_parts,
    part_path,
    read_part,
    read_schema,
    read_table,
    write_part,
)
from service.storage.atomic import remove_temporaries

STRAY = [
    ".DS_Store",
    "._part-000000.parquet",
    "_SUCCESS",
    "Thumbs.db",
    "notes.csv",
    "part-000000.parquet~",
    "part-000000.parquet.crc",
]
ROWS = pa.table({"trial": [0, 0, 1, 2], "loss": [0.5, float("nan"), None, 0.25]})


def test_part_comes_back(tmp_path: Path) -> None:
    path = part_path(tmp_path, 0)
    write_part(path, ROWS, sequence=7)
    assert read_schema(path) == (ROWS.schema, 7)
    again = read_part(path, ROWS.schema)
    assert again["loss"].to_pylist()[::3] == [0.5, 0.25]
    assert again["loss"].null_count == 1 and pc.is_nan(again["loss"]).to_pylist()[1] is True
    assert list(tmp_path.iterdir()) == [path]


def test_new_columns_are_null_in_old_parts(tmp_path: Path) -> None:
    write_part(part_path(tmp_path, 0), ROWS.select(["trial"]), sequence=1)
    write_part(part_path(tmp_path, 1), ROWS, sequence=2)
    table = read_table(tmp_path, columns=["loss"], where=pc.field("trial") != 1)
    assert table["loss"].null_count == 3 and table["loss"].to_pylist()[5] == 0.25
    assert len(read_table(tmp_path, where=pc.field("loss").is_null())) == 4 + 1


def test_parts_that_do_not_fit_together(tmp_path: Path) -> None:
    write_part(part_path(tmp_path, 0), pa.table({"trial": ["a"]}), sequence=1)
    write_part(part_path(tmp_path, 1), ROWS, sequence=2)
    with pytest.raises(SweepError, match=r"part-000001\.parquet: this part does not fit .*trial"):
        read_table(tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_truncated_part_is_named(tmp_path: Path, kept: int) -> None:
    path = part_path(tmp_path, 0)
    write_part(path, ROWS, sequence=1)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SweepError, match=r"part-000000\.parquet: this part of the table can't be read"):
        read_table(tmp_path)


def test_no_changed_bit_changes_a_number(tmp_path: Path) -> None:
    """Neither in the pages nor in the footer, which says where the pages are, and which can be left out."""
    path = part_path(tmp_path, 0)
    numbers = pa.table({"trial": [n // 100 for n in range(3000)], "loss": [n / 7 for n in range(3000)]})
    write_part(path, numbers, sequence=1)
    whole = path.read_bytes()
    draw = random.Random(0)
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    places = [draw.randrange(footer) for _ in range(40)] + [
        draw.randrange(footer, len(whole)) for _ in range(160)
    ]
    found = 0
    for place in places:
        content = bytearray(whole)
        content[place] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(content))
        try:
            rows = read_table(tmp_path, where=pc.field("trial") == 17)
            assert rows["loss"].to_pylist() == [n / 7 for n in range(1700, 1800)]
            assert read_schema(path) == (numbers.schema, 1)
        except SweepError as error:
            assert "part-000000.parquet" in str(error)
            found += 1
    assert found > 180


def test_part_of_an_older_version_has_no_checksum(tmp_path: Path) -> None:
    stamped = ROWS.replace_schema_metadata({"polychrony_sequence": "7"})
    pq.write_table(stamped, part_path(tmp_path, 0))
    assert read_table(tmp_path).num_rows == 4 and read_schema(part_path(tmp_path, 0))[1] == 7


def test_foreign_files(tmp_path: Path) -> None:
    pq.write_table(ROWS, part_path(tmp_path, 0))
    with pytest.raises(SweepError, match="was not written by a sweep"):
        read_table(tmp_path)
    pq.write_table(ROWS, tmp_path / "copy.parquet")  # pandas would count its rows
    with pytest.raises(SweepError, match=r"copy\.parquet: this file is no part of the table; move it"):
        read_table(tmp_path)


@pytest.mark.parametrize("name", STRAY)
def test_stray_files_are_passed_over(tmp_path: Path, name: str) -> None:
    write_part(part_path(tmp_path, 0), ROWS, sequence=1)
    (tmp_path / name).write_bytes(b"stray")
    (tmp_path / "@eaDir").mkdir()
    assert read_table(tmp_path).num_rows == 4
    write_part(part_path(tmp_path, 1), ROWS, sequence=2)
    assert list_parts(tmp_path) == [part_path(tmp_path, 0), part_path(tmp_path, 1)]


def test_missing_part_is_named(tmp_path: Path) -> None:
    for number in (0, 2):
        write_part(part_path(tmp_path, number), ROWS, sequence=number)
    with pytest.raises(SweepError, match=r"part-000001\.parquet: this part of the table is missing"):
        list_parts(tmp_path)


def test_leftovers_are_not_parts(tmp_path: Path) -> None:
    write_part(part_path(tmp_path, 0), ROWS, sequence=1)
    (tmp_path / ".part-000000.parquet.here.17").write_bytes(b"PAR1 half a fi")
    assert read_table(tmp_path).num_rows == 4
    remove_temporaries(tmp_path)
    assert list(tmp_path.iterdir()) == [part_path(tmp_path, 0)]


def test_full_disk_leaves_the_old_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = part_path(tmp_path, 0)
    write_part(path, ROWS, sequence=1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SweepError, match=r"No space left on device.*free some space"):
        write_part(path, ROWS.slice(0, 1), sequence=2)
    assert read_schema(path)[1] == 1 and read_table(tmp_path).num_rows == 4
    assert list(tmp_path.iterdir()) == [path]
