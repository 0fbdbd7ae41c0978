"""One driver a sweep, on a folder and on an object store."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest
from object_store import ObjectStore

from service.errors import HeldError, SweepError, UserError
from service.storage import lease, process
from service.storage.layout import LOCK
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


@pytest.mark.parametrize("step", range(1, 5))
def test_two_that_start_at_the_same_moment_never_both_go_on(
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
        assert steps >= step and len(running) <= 1
        store.fail = lambda what, key: None
    assert list_folder(folder / LOCK) == []


def test_a_claim_that_is_not_renewed_ends(
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
            assert len(list_folder(folder / LOCK)) == 1
    assert (folder / "a").read_bytes() == b"" and list_folder(folder / LOCK) == []


def test_a_claim_is_renewed_while_it_is_held(
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


def test_the_claim_of_a_process_that_is_gone_is_none(folder: ObjectPath) -> None:
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
            assert is_running(folder)
    assert list_folder(folder / LOCK) == []


def test_a_process_elsewhere_with_our_number_is_another() -> None:
    ours = process.process_of()
    assert len(ours) == 4 and process.process_of(ours[2]) == ours
    assert process.gone(GONE) and not process.gone(ours)
    assert not process.gone(["another boot", *ours[1:3], "1"])
    assert not process.gone([ours[0], "pid:[1]", ours[2], "1"])  # another container of this machine
    assert not process.gone([])


@pytest.mark.parametrize("content", [b"", b"[]", b'{"host": 1}', b'{"host": "a", "process": 7}'])
def test_a_claim_that_cannot_be_read_is_one(folder: ObjectPath, content: bytes) -> None:
    (folder / LOCK / "1234").write_bytes(content)
    with pytest.raises(HeldError), sweep_lock(folder):
        pass


def test_a_claim_that_cannot_be_made(store: ObjectStore, folder: ObjectPath) -> None:
    def refuse(what: str, key: str) -> None:
        raise OSError("ACCESS_DENIED")

    store.fail = refuse
    with pytest.raises(UserError, match=r"can't be written \(ACCESS_DENIED\); choose"), sweep_lock(folder):
        pass
    assert store.files == {}
