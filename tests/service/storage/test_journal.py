"""Lines that stay, in a file and in segments on an object store."""

import json
import os
import zlib
from pathlib import Path

import pytest
from object_store import ObjectStore

from service.errors import SweepError
from service.storage import journal as journal_module
from service.storage.journal import open_journal, read_lines
from service.storage.paths import ObjectPath, StoragePath, list_folder

FIRST, SECOND, THIRD, LINE, UNSYNCED = (b'{"n":%d}' % n for n in range(5))


def contents(path: StoragePath) -> list[bytes]:
    return [line.content for line in read_lines(path)]


def test_lines_come_back_in_order(home: StoragePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 20)
    path = home / "plan.jsonl"
    assert read_lines(path) == []
    expected: list[bytes] = []
    for session in range(3):
        journal = open_journal(path)
        assert [line.content for line in journal.lines] == expected == contents(path)
        for n in range(4):
            line = json.dumps({"n": n, "of": [session] * (1 + 9 * (n == 2))}).encode()
            journal.append(line, sync=n % 2 == 0)
            expected.append(line)
            assert contents(path) == expected
        journal.close()
    places = [line.place for line in read_lines(path)]
    assert len(set(places)) == 12 and places[0].endswith(":1")


def test_a_cleared_journal_begins_anew(home: StoragePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 5)
    path = home / "log.jsonl"
    journal = open_journal(path)
    for turn in range(2):
        for n in range(3):
            journal.append(b'{"n":%d}' % n)
        journal.clear()
        assert contents(path) == [], turn
    journal.append(b'{"after":1}')
    journal.close()
    assert contents(path) == [b'{"after":1}']


def test_sealed_segments_are_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 60)
    store = ObjectStore()
    path = store.path() / "plan.jsonl"
    written: list[str] = []
    store.fail = lambda what, key: written.append(key) if what == "write" else None
    for _ in range(2):
        journal = open_journal(path)
        for _ in range(8):
            journal.append(b'{"n":1}')
    assert [int(key[-6:]) for key in written] == [n // 3 for n in range(16)]
    assert [one.read_bytes().count(b"\n") for one in list_folder(path)] == [3] * 5 + [1]


@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "written all the same"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("segment", [5, 1000])
def test_a_line_that_fails_has_no_place_among_those_that_follow(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException, arrives: bool, segment: int
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", segment)
    store = ObjectStore()
    path = store.path() / "log.jsonl"
    journal = open_journal(path)
    journal.append(FIRST)

    def fail(what: str, key: str) -> None:
        if arrives:
            number = 1 if segment == 5 else 0
            before = b"" if number else FIRST + b"\n"
            store.files[f"{path.key}/{number:06d}"] = (before + SECOND + b"\n", 0.0)
        raise failure

    store.fail = fail
    with pytest.raises(SweepError if isinstance(failure, OSError) else KeyboardInterrupt):
        journal.append(SECOND)
    store.fail = lambda what, key: None
    assert contents(path) == [FIRST, *[SECOND] * arrives]
    journal.append(THIRD)
    assert contents(path) == [FIRST, THIRD]


def test_a_foreign_file_among_the_segments_is_named() -> None:
    path = ObjectStore().path() / "plan.jsonl"
    (path / "notes.txt").write_bytes(b"mine")
    with pytest.raises(SweepError, match=r"notes\.txt: this file is no part of the sweep"):
        open_journal(path)


def test_hidden_files_among_the_segments_are_passed_over() -> None:
    path = ObjectStore().path() / "plan.jsonl"
    (path / ".DS_Store").write_bytes(b"stray\n")
    journal = open_journal(path)
    journal.append(FIRST)
    assert contents(path) == [FIRST]
    assert [line.content for line in open_journal(path).lines] == [FIRST]


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(SweepError, match=r"log\.jsonl: can't be read \(Is a directory\)"):
        open_journal(tmp_path / "log.jsonl")
    journal = open_journal(tmp_path / "plan.jsonl")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SweepError, match=r"plan\.jsonl: can't be written \(No space left on device\)"):
        journal.append(LINE)
    journal.append(UNSYNCED, sync=False)
    journal.close()
    assert contents(tmp_path / "plan.jsonl") == [UNSYNCED]


def test_a_line_that_is_damaged_is_told(home: StoragePath) -> None:
    """Any bit of it may change; what is then not noticed has changed nothing but the checksum's name."""
    path = home / "plan.jsonl"
    journal = open_journal(path)
    content = b'{"trial":17,"loss":0.25}'
    journal.append(content)
    journal.close()
    file = list_folder(path)[0] if isinstance(path, ObjectPath) else path
    stored = file.read_bytes()
    assert json.loads(stored) == {**json.loads(content), "crc": zlib.crc32(content)}
    for bit in range(8 * (len(stored) - 1)):
        damaged = bytearray(stored)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bytes(damaged))
        for found in contents(path):
            try:
                entry = json.loads(found)
            except ValueError:
                continue
            assert (entry["trial"], entry["loss"]) == (17, 0.25)


def test_lines_of_an_older_version_have_no_checksum(home: StoragePath) -> None:
    path = home / "plan.jsonl"
    file = path / "000000" if isinstance(path, ObjectPath) else path
    file.write_bytes(b'{"elapsed":1.5}\n')
    assert contents(path) == [b'{"elapsed":1.5}']
