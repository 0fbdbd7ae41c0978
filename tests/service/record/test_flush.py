"""When rows reach the tables, and what happens if they cannot."""

from pathlib import Path
from typing import Any

import pytest
from records import SCHEMAS, Clock, epoch_rows, on_disk, sizes

from service.errors import SweepError
from service.record.parts import part_path, read_schema
from service.record.record import Record
from service.record.table import TableWriter
from service.storage.paths import StoragePath, list_folder


def test_parts_are_sealed_when_full(home: StoragePath) -> None:
    folder = home / "tables" / "epochs"
    with Record.open(home, SCHEMAS, part_rows=4) as record:
        record.append("epochs", epoch_rows(0, 1))
        record.flush()
        record.append("epochs", epoch_rows(1, 1))
        record.flush()
        sealed = part_path(folder, 0).read_bytes()
        assert len(list_folder(folder)) == 1
        for trial in (2, 3, 4, 5, 6):  # flushed together: fills one part, and begins another
            record.append("epochs", epoch_rows(trial, 1))
        record.append("epochs", epoch_rows(7, *range(10)))  # rows appended together stay together
        record.flush()
        assert (
            record.rows("epochs", ["trial"])["trial"].to_pylist()
            == on_disk(home, "epochs")["trial"].to_pylist()
        )
    assert part_path(folder, 0).read_bytes() == sealed
    assert sizes(folder) == [4, 4, 4, 22]
    assert [read_schema(path)[1] for path in list_folder(folder)] == [2, 4, 6, 8]
    with Record.open(home, SCHEMAS, part_rows=4) as record:
        record.append("epochs", epoch_rows(8, 1))
    assert sizes(folder) == [4, 4, 4, 22, 2]


def test_flush_by_time(tmp_path: Path) -> None:
    clock = Clock()
    record = Record.open(tmp_path, SCHEMAS, clock=clock)
    record.append("epochs", epoch_rows(0, 1))
    clock.now += 1.9
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 0
    clock.now += 0.2
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 0.5
    record.append("epochs", epoch_rows(0, 2))
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 1.6
    record.append("epochs", epoch_rows(0, 3))
    assert on_disk(tmp_path, "epochs").num_rows == 6
    record.close()


def test_slow_flushes_are_rare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    record = Record.open(tmp_path, SCHEMAS, clock=clock)
    clear = record._log.clear

    def slow_clear() -> None:
        clock.now += 1.0
        clear()

    monkeypatch.setattr(record._log, "clear", slow_clear)
    record.append("epochs", epoch_rows(0, 1))
    record.flush()
    record.append("epochs", epoch_rows(0, 2))
    clock.now += 19.0
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 1.5
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 4
    record.close()


def test_flush_by_rows(tmp_path: Path) -> None:
    with Record.open(tmp_path, SCHEMAS, flush_rows=6, clock=Clock()) as record:
        record.append("epochs", epoch_rows(0, 1, 2))
        assert on_disk(tmp_path, "epochs").num_rows == 0
        record.append("topology", [{"trial": 0, "replicate": r, "epoch": 2} for r in range(2)])
        assert on_disk(tmp_path, "epochs").num_rows == 4 and on_disk(tmp_path, "topology").num_rows == 2
        assert (tmp_path / "log.jsonl").read_text() == ""


def test_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record.open(tmp_path, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(SweepError, match="No space left on device"):
            record.flush()
    record.append("epochs", epoch_rows(0, 2))
    record.close()
    assert on_disk(tmp_path, "epochs")["epoch"].to_pylist() == [1, 1, 2, 2]


@pytest.mark.parametrize("where", ["add", "flush"])
def test_an_interrupt_in_between_loses_no_row(
    home: StoragePath, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Ctrl-C between two tables of one entry: what was logged counts, though memory lacks some of it."""
    record = Record.open(home, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        real = getattr(TableWriter, where)

        def interrupted(self: TableWriter, *arguments: Any) -> None:
            if self is record._writers["trials"]:
                raise KeyboardInterrupt
            real(self, *arguments)

        patch.setattr(TableWriter, where, interrupted)
        record.append_all({"epochs": epoch_rows(0, 2), "trials": [{"trial": 0, "state": "complete"}]})
        record.flush()
    record.close()
    with Record.open(home, SCHEMAS) as again:
        assert again.rows("epochs")["epoch"].to_pylist() == [1, 1, 2, 2]
        assert again.finished_trials() == {0: "complete"}
