"""The record on an object store: killed at each single request to it, and read while it is written."""

import threading

import pyarrow.compute as pc
import pytest
from object_store import ObjectStore

from service.errors import SweepError
from service.record.parts import read_table
from service.record.record import Record
from service.record.schema import make_schemas
from service.storage import journal
from service.storage.paths import StoragePath

SCHEMAS = make_schemas({}, ["modularity"])


class Killed(BaseException):
    """The process is gone: nothing that comes after is done."""


class Doomed(ObjectStore):
    """Kills its user at a certain request, before or after it is done; and there is no request after that."""

    def __init__(self, at: int, done: bool) -> None:
        super().__init__()
        self.left, self.dead = at, False
        self._counted = ("written", "deleted") if done else ("write", "delete")
        self.fail = self._count

    def _count(self, what: str, key: str) -> None:
        if self.dead:
            raise Killed
        self.left -= what in self._counted
        if self.left < 0:
            self.dead = True
            raise Killed

    def revive(self) -> None:
        self.dead, self.fail = False, lambda what, key: None


def open_record(folder: StoragePath) -> Record:
    return Record.open(folder, SCHEMAS, part_rows=8, flush_rows=10)


def append(record: Record, n: int) -> None:
    rows = [{"trial": n, "replicate": r, "epoch": n, "loss": n / 7} for r in range(2)]
    record.append_all({"trials": [{"trial": n, "state": "complete"}], "epochs": rows})


def check(folder: StoragePath, acknowledged: int) -> int:
    """Rows after a new start: all that were acknowledged, and perhaps the one on its way, each once."""
    with open_record(folder) as record:
        trials = record.rows("trials")["trial"].to_pylist()
        epochs = record.rows("epochs", ["trial", "replicate", "loss"]).to_pylist()
    assert trials == list(range(len(trials)))
    assert epochs == [{"trial": n, "replicate": r, "loss": n / 7} for n in trials for r in range(2)]
    assert acknowledged <= len(trials) <= acknowledged + 1
    assert read_table(folder / "tables" / "trials")["trial"].to_pylist() == trials
    return len(trials)


@pytest.mark.parametrize("done", [False, True])
def test_killed_at_each_request_it_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2000)  # two entries a segment
    for at in range(1000):
        store = Doomed(at, done)
        acknowledged, survived = 0, False
        try:
            with open_record(store.path()) as record:
                for n in range(9):
                    append(record, n)
                    acknowledged = n + 1
            survived = True
        except Killed:
            pass
        store.revive()
        assert check(store.path(), acknowledged) >= acknowledged
        if survived:
            break
    assert survived and at > 20


def test_killed_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2000)
    store = Doomed(0, done=False)
    acknowledged = 0
    for turn in range(30):
        store.revive()
        store.left, store.fail = turn % 13, store._count
        try:
            with open_record(store.path()) as record:
                acknowledged = len(record.finished_trials())  # one on its way may have arrived
                while True:
                    append(record, acknowledged)
                    acknowledged += 1
        except Killed:
            pass
    store.revive()
    assert check(store.path(), acknowledged) > 20


def test_a_request_that_fails_loses_nothing() -> None:
    """As a full disk does: the row is refused, and what was recorded stays; later all goes on."""
    store = ObjectStore()
    record = open_record(store.path())
    kept = []

    def refuse(what: str, key: str) -> None:
        if what == "write":
            raise OSError("SLOW_DOWN")

    for n in range(12):
        store.fail = refuse if n % 3 == 1 else lambda what, key: None
        try:
            append(record, n)
            kept.append(n)
        except SweepError as error:
            assert "can't be written (SLOW_DOWN)" in str(error)
    store.fail = lambda what, key: None
    record.close()
    assert read_table(store.path() / "tables" / "trials")["trial"].to_pylist() == kept
    with open_record(store.path()) as record:
        assert list(record.finished_trials()) == kept


def test_two_readers_see_each_row_once_while_it_grows() -> None:
    store = ObjectStore()
    folder = store.path() / "tables" / "epochs"
    open_record(store.path()).close()
    over = threading.Event()
    seen: list[list[int]] = [[], []]
    faults: list[BaseException] = []

    def read(mine: list[int]) -> None:
        try:
            while not over.is_set():
                trials = read_table(folder, ["trial"])["trial"].to_pylist()
                one = len(read_table(folder, where=pc.field("trial") == 3))
                assert trials == [n // 2 for n in range(len(trials))] and one in (0, 2)
                mine.append(len(trials))
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=read, args=[mine]) for mine in seen]
    for reader in readers:
        reader.start()
    with open_record(store.path()) as record:
        for n in range(120):
            append(record, n)
    over.set()
    for reader in readers:
        reader.join()
    assert not faults
    for mine in seen:
        assert mine == sorted(mine) and len(set(mine)) > 3


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
@pytest.mark.parametrize("number", [0, 1])
def test_a_truncated_part_is_named(kept: int, number: int) -> None:
    store = ObjectStore()
    with open_record(store.path()) as record:
        for n in range(5):
            append(record, n)
            record.flush()
    part = store.path() / "tables" / "epochs" / f"part-{number:06d}.parquet"
    part.write_bytes(part.read_bytes()[:kept])
    for read in (lambda: read_table(part.parent), lambda: open_record(store.path())):
        with pytest.raises(
            SweepError, match=rf"part-00000{number}\.parquet: this part of the table can't be read"
        ):
            read()
