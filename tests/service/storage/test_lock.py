"""One driver a sweep, on a folder and on an object store."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from object_store import ConditionalFile, ObjectStore

from service.errors import HeldError, SweepError, UserError
from service.storage import lease, process
from service.storage.layout import DRIVER, LEASE, LOCK
from service.storage.lease import LEASE_SECONDS, TRUST_SECONDS
from service.storage.lock import is_running, sweep_lock
from service.storage.paths import ObjectPath, StoragePath, list_folder

GONE = [*process.process_of()[:3], "1"]
"""A process of this machine that is no more."""


class Time:
    """Ours and the store's, which pass by `now += seconds`."""

    def __init__(self, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1e9
        store.clock = lambda: self.now + 5000  # clocks need not agree
        monkeypatch.setattr(lease, "_now", lambda: self.now)
        monkeypatch.setattr(lease, "RENEW_SECONDS", 1e6)


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore()


@pytest.fixture
def folder(store: ObjectStore) -> ObjectPath:
    return store.path("bucket/runs/wiring")


def names(folder: StoragePath) -> list[str]:
    return [one.name for one in list_folder(folder / LOCK)]


def test_one_at_a_time(home: StoragePath) -> None:
    assert not is_running(home)
    for _ in range(2):
        with sweep_lock(home) as held:
            (held / "sweep.yaml").write_bytes(b"")
            assert is_running(home)
            with pytest.raises(HeldError, match="runs this sweep; wait for it, or stop it"), sweep_lock(home):
                pass
            assert is_running(home)
        assert not is_running(home)
    assert (home / "sweep.yaml").exists()


@pytest.mark.parametrize("step", range(1, 9))
def test_of_two_that_start_at_the_same_moment_one_goes_on(
    store: ObjectStore, folder: ObjectPath, step: int
) -> None:
    """The second starts between any two steps of the first."""
    (folder / LOCK / "dead").write_bytes(json.dumps({"host": "here", "process": GONE}).encode())
    running: list[int] = []
    steps = 0

    def start(number: int) -> None:
        with suppress(HeldError):
            stack.enter_context(sweep_lock(folder))
            running.append(number)

    def second(what: str, key: str) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            store.fail = lambda what, key: None
            start(2)

    with ExitStack() as stack:
        store.fail = second
        start(1)
        assert steps >= step and len(running) == 1
        store.fail = lambda what, key: None
    assert not is_running(folder) and names(folder) == [LEASE]


def test_a_lease_that_is_not_renewed_ends(
    store: ObjectStore, folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "process_of", lambda pid="self": [])  # as if on another machine
    time = Time(store, monkeypatch)
    with sweep_lock(folder) as held:
        time.now += TRUST_SECONDS - 1
        (held / "a").write_bytes(b"")
        time.now += 2
        with pytest.raises(SweepError, match="another process may run the sweep by now"):
            (held / "a").write_bytes(b"too late")
        with pytest.raises(HeldError), sweep_lock(folder):
            pass
        time.now += LEASE_SECONDS - TRUST_SECONDS
        with sweep_lock(folder) as other:
            (other / "b").write_bytes(b"")
            assert names(folder) == [LEASE]
    assert (folder / "a").read_bytes() == b"" and not is_running(folder)


def test_who_was_taken_over_while_it_renewed_stops_at_once(
    store: ObjectStore, folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is stopped while its renewal is on its way revives nothing when it goes on."""
    monkeypatch.setattr(process, "process_of", lambda pid="self": [])
    time = Time(store, monkeypatch)
    early, late = lease.Lease(folder), lease.Lease(folder)
    early.acquire()

    def sleep(what: str, key: str) -> None:
        store.fail = lambda what, key: None
        time.now += LEASE_SECONDS
        late.acquire()
        time.now -= LEASE_SECONDS  # our clock stands still with the process: the store alone can tell

    store.fail = sleep
    assert not early.renew()
    with pytest.raises(SweepError, match="another process has taken this sweep over"):
        (early.folder / "a").write_bytes(b"too late")
    early.release()
    late.check()
    assert is_running(folder)
    late.release()
    assert not is_running(folder)


def test_a_late_renewal_that_arrives_first_is_not_overwritten(
    store: ObjectStore, folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "process_of", lambda pid="self": [])
    time = Time(store, monkeypatch)
    early, late = lease.Lease(folder), lease.Lease(folder)
    early.acquire()
    time.now += LEASE_SECONDS

    def renewed(what: str, key: str) -> None:
        if what == "write":
            store.fail = lambda what, key: None
            assert early.renew()

    store.fail = renewed
    with pytest.raises(HeldError, match="another process has just begun"):
        late.acquire()
    with pytest.raises(SweepError, match="could not be reached"):
        time.now += TRUST_SECONDS + 1
        early.check()
    early.release()
    late.acquire()
    late.release()


def test_a_put_whose_answer_was_lost_is_ours(store: ObjectStore, folder: ObjectPath) -> None:
    ours = lease.Lease(folder)
    ours.acquire()

    def lose(what: str, key: str) -> None:
        if what == "written":
            store.fail = lambda what, key: None
            raise OSError("connection reset")

    store.fail = lose
    with pytest.raises(OSError, match="reset"):
        ours.renew()
    assert ours.renew()
    ours.check()
    ours.release()
    assert not is_running(folder)


def test_a_lease_that_was_begun_in_vain_is_given_back(store: ObjectStore, folder: ObjectPath) -> None:
    def lose(what: str, key: str) -> None:
        if what == "written":
            store.fail = lambda what, key: None
            raise OSError("connection reset")

    store.fail = lose
    with pytest.raises(UserError, match="connection reset"), sweep_lock(folder):
        pass
    assert not is_running(folder)


def test_nothing_is_left_of_a_sweep_that_is_deleted_while_it_is_held(folder: ObjectPath) -> None:
    with sweep_lock(folder):
        folder.remove_all()
    assert not folder.exists()


def test_a_store_that_heeds_no_conditions_is_refused(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(self: ConditionalFile, content: bytes, tag: str | None) -> str:
        folder.store.handler.put(self.key, content)
        return content.hex()

    monkeypatch.setattr(ConditionalFile, "put", put)
    with pytest.raises(UserError, match="does not heed If-None-Match and can't keep two"), sweep_lock(folder):
        pass
    assert not is_running(folder)


def test_leases_of_earlier_versions_are_respected(
    store: ObjectStore, folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time(store, monkeypatch)
    for name in ("9f" * 16, "000001"):
        (folder / LOCK / name).write_bytes(json.dumps({"host": "there", "process": []}).encode())
    assert is_running(folder)
    with pytest.raises(HeldError, match="a process on there runs this sweep"), sweep_lock(folder):
        pass
    assert names(folder) == ["000001", "9f" * 16, LEASE]
    time.now += LEASE_SECONDS
    assert not is_running(folder)
    with sweep_lock(folder):
        assert names(folder) == [LEASE]


def test_a_lease_is_renewed_while_it_is_held(
    store: ObjectStore, folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    with sweep_lock(folder):
        key = list_folder(folder / LOCK)[0].key  # type: ignore[union-attr]
        changed = store.files[key][1]
        for _ in range(500):
            if store.files[key][1] > changed:
                break
            subprocess.run(["sleep", "0.01"], check=True)
        assert store.files[key][1] > changed


def test_the_lease_of_a_process_that_is_gone_is_none(folder: ObjectPath) -> None:
    """A sweep whose driver was killed goes on at once, on the same machine."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (folder / LOCK / "1234").write_bytes(
            json.dumps({"host": "here", "process": process.process_of(str(other.pid))}).encode()
        )
        assert is_running(folder)
        with pytest.raises(HeldError, match="a process on here runs this sweep"), sweep_lock(folder):
            pass
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and not taken notice of yet
        assert not is_running(folder)
        with sweep_lock(folder):
            assert is_running(folder) and names(folder) == [LEASE]
    assert not is_running(folder)


def test_a_process_elsewhere_with_our_number_is_another() -> None:
    ours = process.process_of()
    assert len(ours) == 4 and process.process_of(ours[2]) == ours
    assert process.gone(GONE) and not process.gone(ours)
    assert not process.gone(["another boot", *ours[1:3], "1"])
    assert not process.gone([ours[0], "pid:[1]", ours[2], "1"])  # another container of this machine
    assert not process.gone([])


@pytest.mark.parametrize("name", [LEASE, "1234"])
@pytest.mark.parametrize("content", [b"", b"[]", b'{"host": 1}', b'{"host": "a", "process": 7}'])
def test_a_lease_that_cannot_be_read_is_one(
    store: ObjectStore, folder: ObjectPath, content: bytes, name: str
) -> None:
    store.clock = lambda: 1e9
    (folder / LOCK / name).write_bytes(content)
    with pytest.raises(HeldError), sweep_lock(folder):
        pass
    store.clock = lambda: 1e9 + LEASE_SECONDS
    with sweep_lock(folder):
        assert names(folder) == [LEASE]


def test_a_lease_that_cannot_be_made(store: ObjectStore, folder: ObjectPath) -> None:
    def refuse(what: str, key: str) -> None:
        raise OSError("ACCESS_DENIED")

    store.fail = refuse
    with pytest.raises(UserError, match=r"can't be written \(ACCESS_DENIED\); choose"), sweep_lock(folder):
        pass
    assert store.files == {}


def test_whoever_may_only_read_a_sweep_sees_whether_it_runs(tmp_path: Path) -> None:
    with sweep_lock(tmp_path):
        (tmp_path / LOCK).chmod(0o444)
        assert is_running(tmp_path)
    assert not is_running(tmp_path)
    assert not is_running(tmp_path / "nowhere")


def test_a_folder_is_given_free_if_it_cannot_be_said_who_holds_it(tmp_path: Path) -> None:
    (tmp_path / DRIVER).mkdir()  # so it can't be written
    with pytest.raises(UserError, match="can't be written") as kept, sweep_lock(tmp_path):
        pass
    assert not is_running(tmp_path), kept  # the error, and all that it holds, is still there
