"""What is written where an encoding has not all characters."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from service.text import write_plainly


def stream(encoding: str) -> tuple[io.TextIOWrapper, io.BytesIO]:
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    write_plainly(text)
    return text, raw


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", rb"0.5 +- 0.1 rho te~ caf\xe9 \udce9"),
        ("latin-1", b"0.5 \xb1 0.1 rho te~ caf\xe9 \\udce9"),
        ("utf-8", "0.5 ± 0.1 ρ te… café ".encode() + rb"\udce9"),
    ],
)
def test_what_an_encoding_has_not_is_written_otherwise(encoding: str, expected: bytes) -> None:
    text, raw = stream(encoding)
    text.write("0.5 ± 0.1 ρ te… café \udce9")
    assert raw.getvalue() == expected


def test_tables_that_are_cut_off_are_written_in_ascii() -> None:
    text, raw = stream("ascii")
    table = Table("name", title="λ")
    table.add_column("accuracy", no_wrap=True)
    table.add_row("a" * 40, "0.123456789 ± 0.1")
    Console(file=text, width=20).print(table)
    assert b"~" in raw.getvalue() and raw.getvalue().isascii()


def test_a_stream_that_is_no_file_is_left_alone() -> None:
    text = io.StringIO()
    write_plainly(text)
    text.write("±")
    assert text.getvalue() == "±"
