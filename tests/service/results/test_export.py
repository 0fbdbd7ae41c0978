import csv
import io
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

from service.errors import UserError
from service.results.export import write

TABLE = pa.table(
    {
        "trial": pa.array([0, 1], pa.int64()),
        "parent": pa.array([None, 0], pa.int64()),
        "reason": ['said "no",\nthen [red]left[/red] :smile:', None],
        "loss": [0.123456789, math.nan],
        "rate": [math.inf, None],
        "position": [[0.5, -1 / 3], None],
        "move": pa.array([None, None], pa.string()),
    }
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(table: pa.Table, format: Any) -> str:
    stream = io.StringIO()
    write(table, format, stream)
    return stream.getvalue()


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_csv() -> None:
    header, *rows = csv.reader(io.StringIO(written(TABLE, "csv")))
    assert header == TABLE.column_names
    assert rows == [
        ["0", "", 'said "no",\nthen [red]left[/red] :smile:', "0.123456789", "inf", f"[0.5, {-1 / 3}]", ""],
        ["1", "0", "", "nan", "", "", ""],
    ]


def test_json_is_strict() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    first, second = json.loads(written(TABLE, "json"), parse_constant=refuse)
    assert first == {
        "trial": 0,
        "parent": None,
        "reason": TABLE["reason"][0].as_py(),
        "loss": 0.123456789,
        "rate": None,
        "position": [0.5, -1 / 3],
        "move": None,
    }
    assert second["loss"] is None and second["parent"] == 0
    assert json.loads(written(TABLE.slice(0, 0), "json")) == []


def test_parquet_goes_to_the_binary_stream_beneath() -> None:
    beneath = io.BytesIO()
    stream = io.TextIOWrapper(beneath)
    write(TABLE, "parquet", stream)
    assert pq.read_table(io.BytesIO(beneath.getvalue())).schema.equals(TABLE.schema)
    with pytest.raises(UserError, match="is not for a terminal; add `> FILE`"):
        write(TABLE, "parquet", Terminal())


@pytest.mark.usefixtures("wide")
def test_table_shows_text_as_it_is_and_numbers_to_4_digits() -> None:
    header, first, second = written(TABLE, "table").splitlines()
    assert header.split() == ["trial", "parent", "reason", "loss", "rate", "position"]  # not the empty `move`
    assert 'said "no", then [red]left[/red] :smile:' in first
    assert "0.1235" in first and "0.12346" not in first and "inf" in first and "[0.5, -0.3333]" in first
    assert second.split() == ["1", "0", "nan"]


def test_table_fits_the_terminal_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({f"column_{n}": [1.5] for n in range(20)})
    for width in (9, 18, 20, 40, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = written(table, "table").splitlines()
        shown = lines[0].split()
        assert shown == table.column_names[: max(1, (width + 2) // 10)]
        assert all(cell_len(line.rstrip()) <= width for line in lines)
        said = " ".join(" ".join(lines[2:]).split())
        assert said.startswith("without room: ") and all(
            name in said for name in table.column_names[len(shown) :]
        )


@pytest.mark.usefixtures("wide")
def test_long_table_is_cut_and_says_so() -> None:
    lines = written(pa.table({"trial": list(range(1_000))}), "table").splitlines()
    assert [int(line) for line in lines[1:-1]] == list(range(200))
    assert lines[-1] == "200 of 1000 rows; choose with --where, or have all with --format csv"


@pytest.mark.usefixtures("wide")
def test_empty_table_shows_its_columns() -> None:
    assert written(TABLE.slice(0, 0), "table").split() == [*TABLE.column_names, "no", "rows"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in written(pa.table({"reason": ["\x1b[2Jgone\x07"]}), "table")


def test_unknown_format() -> None:
    with pytest.raises(UserError, match="--format: xml: expected one of table, csv, parquet, json"):
        written(TABLE, "xml")
