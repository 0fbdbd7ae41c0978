import math
import os
from pathlib import Path

import pytest

from service.errors import SweepError
from service.record.wal import Entry, Log


def entry(sequence: int, **columns: list[object]) -> Entry:
    return Entry(sequence, {"epochs": columns})


def fill(path: Path, count: int) -> None:
    log = Log(path)
    for n in range(1, count + 1):
        log.append(entry(n, loss=[n / 3]))
    log.close()


def reread(path: Path) -> list[Entry]:
    log = Log(path)
    log.close()
    return log.entries


def test_entries_come_back(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append(
        entry(1, loss=[0.1, math.inf, -math.inf, None], reason=["line\nbreak\r\u2028 ü", "", None, "\x00"])
    )
    log.append(entry(5, position=[[0.5, -1.25], [math.nan], [], None]))
    log.close()
    first, second = reread(tmp_path / "log.jsonl")
    assert (first.sequence, second.sequence) == (1, 5)
    assert first.tables == {
        "epochs": {
            "loss": [0.1, math.inf, -math.inf, None],
            "reason": ["line\nbreak\r\u2028 ü", "", None, "\x00"],
        }
    }
    positions = second.tables["epochs"]["position"]
    assert positions[0] == [0.5, -1.25] and math.isnan(positions[1][0]) and positions[2:] == [[], None]


def test_append_is_with_the_system_on_return(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append(entry(1, loss=[0.5]))
    line = '{"sequence":1,"tables":{"epochs":{"loss":[0.5]}},"crc":2198442813}\n'
    assert (tmp_path / "log.jsonl").read_text() == line
    log.clear()
    assert (tmp_path / "log.jsonl").read_text() == ""
    log.append(entry(2, loss=[0.5]))
    log.close()
    assert [e.sequence for e in reread(tmp_path / "log.jsonl")] == [2]


def test_torn_line_is_dropped_wherever_it_tore(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    fill(path, 3)
    content = path.read_bytes()
    ends = [n for n, byte in enumerate(content, start=1) if byte == ord("\n")]
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = sum(end <= length for end in ends)
        assert [e.sequence for e in reread(path)] == list(range(1, whole + 1))
        log = Log(path)
        log.append(entry(9, loss=[9.0]))
        log.close()
        assert [e.sequence for e in reread(path)] == [*range(1, whole + 1), 9]


@pytest.mark.parametrize("line", ["", "foreign", "[1]", "{}", "\x00\x00", '{"sequence": 2}', "7"])
def test_line_that_is_no_entry_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.jsonl"
    fill(path, 3)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, lines[2]]) + "\n")
    with pytest.raises(SweepError, match=r"log\.jsonl:2: this is no entry of the log"):
        Log(path)


def test_entries_out_of_order_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    fill(path, 2)
    path.write_text(path.read_text() * 2)
    with pytest.raises(SweepError, match=r"log\.jsonl:3: entry 1 is out of order"):
        Log(path)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("kept", [0, 10, None])
def test_entry_that_fails_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, kept: int | None
) -> None:
    path = tmp_path / "log.jsonl"
    log = Log(path)
    log.append(entry(1, loss=[0.1]))
    before = path.read_bytes()
    pwrite = os.pwrite

    def cut(descriptor: int, data: bytes, offset: int) -> int:
        pwrite(descriptor, data[:kept], offset)
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", cut)
        with pytest.raises(SweepError if isinstance(failure, OSError) else KeyboardInterrupt):
            log.append(entry(2, loss=[0.1] * 50))
    assert path.read_bytes() == before
    log.append(entry(3, loss=[0.1]))
    log.close()
    assert [e.sequence for e in reread(path)] == [1, 3]


def test_write_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr("os.pwrite", lambda descriptor, data, offset: pwrite(descriptor, data[:5], offset))
    fill(tmp_path / "log.jsonl", 3)
    assert [e.tables["epochs"]["loss"] for e in reread(tmp_path / "log.jsonl")] == [[1 / 3], [2 / 3], [1.0]]


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"log\.jsonl: can't be written \(No such file or directory\)"):
        Log(tmp_path / "missing" / "log.jsonl")
