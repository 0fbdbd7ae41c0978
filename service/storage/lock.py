"""One driver a sweep: whoever conducts or deletes a sweep holds its folder against all others.

On a local or shared folder that is a lock of the operating system's. Object stores have none: there a driver
puts a claim, a file of its own, into the sweep's folder, renews it by and by, and gives way if there is
another claim that is alive. Of two drivers at least the later one sees the other's claim, so never both go
on; two that start at the same moment may both give way. A claim that was not renewed for CLAIM_SECONDS, by
the store's clock, is dead, and so is that of a process of this machine that is gone. A driver that could not
renew its claim for TRUST_SECONDS does not write any more: it can't know who has taken over.
"""

import json
import platform
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from service.errors import Fault, SweepError, UserError
from service.storage.paths import ObjectPath, Place, inside

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

LOCK = ".lock"
"""In the sweep's folder: the file that is locked, or the folder of claims."""
DRIVER = ".driver.json"
"""In a local folder: who has locked it last."""
LOCK_SECONDS = 1.0
"""Longer than `polychrony list` holds a sweep to see whether it runs."""
RENEW_SECONDS = 10.0
TRUST_SECONDS = 40.0
"""A driver writes for so long after its last renewal."""
CLAIM_SECONDS = 60.0
"""Others wait for so long after it; what was on its way then has arrived."""


class HeldError(SweepError):
    """Another process holds the sweep."""


@contextmanager
def hold(folder: Place) -> Iterator[Place]:
    """Make the sweep's folder and hold it against other processes; gives the folder to write to.

    Raises:
        HeldError: if another process holds it.
        UserError: if the folder can't be written.
    """
    lock: FileLock | _Claim
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(folder, ObjectPath):
            lock = _Claim(folder)
        else:
            lock = FileLock(folder / LOCK, timeout=LOCK_SECONDS)
        lock.acquire()
        if isinstance(folder, Path):
            (folder / DRIVER).write_bytes(_owner())
    except Timeout as error:
        raise HeldError(f"{folder}: another process runs this sweep; wait for it, or stop it") from error
    except OSError as error:
        fault = f"can't be written ({error.strerror}); choose a folder that can"
        raise UserError([Fault("--out", str(folder), fault)]) from error
    try:
        yield lock.folder if isinstance(lock, _Claim) else folder
    finally:
        lock.release()


def is_running(folder: Place) -> bool:
    """Whether a driver holds the sweep in `folder`; on an object store by our own clock, for show only."""
    if isinstance(folder, ObjectPath):
        claims = folder / LOCK
        return bool(_alive(claims, claims.infos(), time.time()))
    path = folder / LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path, blocking=False):
            return False
    except Timeout:
        return True


def owner_files(folder: Place) -> list[Place]:
    """Files that tell who holds the sweep in `folder`, or held it last."""
    if isinstance(folder, ObjectPath):
        return inside(folder / LOCK)
    return [folder / DRIVER]


class _Claim:
    """A claim to a sweep on an object store."""

    def __init__(self, folder: ObjectPath) -> None:
        self.folder = folder.guarded(self.check)
        """For who has acquired it."""
        self._claims = folder / LOCK
        self._path = self._claims / uuid.uuid4().hex
        self._renewed = 0.0
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)

    def acquire(self) -> None:
        """Raises HeldError if there is another claim that is alive, OSError if the store can't be used."""
        self._renew()
        try:
            claims = self._claims.infos()
            others = [info for info in claims if info.base_name != self._path.name]
            now = max(info.mtime_ns for info in claims) / 1e9  # the store's clock, not ours
            for owner in _alive(self._claims, others, now):
                raise HeldError(
                    f"{self.folder}: {owner} runs this sweep; wait for it, or stop it (if it is dead, its "
                    f"claim ends {CLAIM_SECONDS:.0f} s after it)"
                )
            for info in others:
                (self._claims / info.base_name).unlink(missing_ok=True)
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise
        self._thread.start()

    def check(self) -> None:
        """Raises SweepError if the sweep may have been taken over."""
        if _now() - self._renewed > TRUST_SECONDS:
            raise SweepError(
                f"{self.folder}: could not be reached for {TRUST_SECONDS:.0f} s, and another process may run "
                "the sweep by now; run the same command again to go on"
            )

    def release(self) -> None:
        """Give the sweep free; a claim that can't be removed ends by itself."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            with suppress(OSError, SweepError):
                self.check()  # a claim that has ended is not renewed: another may have been made meanwhile
                self._renew()

    def _renew(self) -> None:
        began = _now()
        self._path.write_bytes(_owner())
        self._renewed = began


def _alive(folder: ObjectPath, claims: "Iterable[FileInfo]", now: float) -> list[str]:
    """Who has made those claims in `folder` that are alive at a time (s since 1970)."""
    owners = []
    for info in claims:
        if now - info.mtime_ns / 1e9 < CLAIM_SECONDS:
            try:
                owner = json.loads((folder / info.base_name).read_bytes())
                host, process = str(owner["host"]), [str(one) for one in owner["process"]]
            except FileNotFoundError:  # given up meanwhile
                continue
            except (ValueError, KeyError, TypeError):
                host, process = "an unknown machine", []
            if not gone(process):
                owners.append(f"a process on {host}")
    return owners


def _owner() -> bytes:
    """Who this process is, for others."""
    return json.dumps({"host": platform.node(), "process": process_of()}).encode()


def is_ours(process: list[str]) -> bool:
    """Whether a process is one of this machine that is still there."""
    return bool(process) and process_of(process[2]) == process


def process_of(pid: str = "self") -> list[str]:
    """What tells a process from all others: that of its machine and container, its number, when it began."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        numbers = str(Path("/proc/self/ns/pid").readlink())
        fields = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    state, *times = fields.rpartition(")")[2].split()
    return [] if state == "Z" else [boot, numbers, fields.split()[0], times[18]]


def gone(process: list[str]) -> bool:
    """Whether a process was one of ours, and has ended."""
    here = process_of()
    return len(process) == len(here) == 4 and process[:2] == here[:2] and process_of(process[2]) != process


def _now() -> float:
    """A clock that does not stand still while the machine sleeps (s)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
