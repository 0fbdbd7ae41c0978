"""A lease on a sweep that lives on an object store, where nothing can be locked.

Leases are numbered files in a folder of the sweep's. Whoever wants the sweep makes the next number, which
the store allows to one only, once the lease with the last number has ended: by being given back, by not
having been renewed for LEASE_SECONDS by the store's clock, or because the process of this machine that held
it is gone. A driver that could not renew its lease for TRUST_SECONDS does not write any more: it can't know
who has taken over.

A store that does not know conditions would allow both of two to make a file. Therefore whoever has made one
looks once more, and gives way to any other lease that is alive; so it does to those of earlier versions,
whose names are no numbers.
"""

import json
import re
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from service.errors import HeldError, SweepError
from service.storage.conditional import create
from service.storage.layout import LOCK
from service.storage.paths import ObjectPath
from service.storage.process import gone, this_owner

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

RENEW_SECONDS = 10.0
TRUST_SECONDS = 40.0
"""A driver writes for so long after its last renewal."""
LEASE_SECONDS = 60.0
"""Others wait for so long after it; what was on its way then has arrived."""
RELEASED = "released"
"""In a lease that was given back: its file stays, so that numbers only grow."""


class Lease:
    """A lease on the sweep in `folder`, to be acquired and released once."""

    def __init__(self, folder: ObjectPath) -> None:
        self.folder = folder.guarded(self.check)
        """For who has acquired it."""
        self._leases = folder / LOCK
        self._path = self._leases
        self._renewed = 0.0
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def acquire(self) -> None:
        """Raises HeldError if there is another lease that is alive, OSError if the store can't be used."""
        before = self._leases.infos()
        self._give_way(before, self._store_time() if before else 0.0)
        number = 1 + max((_number(info.base_name) for info in before), default=0)
        self._path = self._leases / f"{number:06d}"
        began = _now()
        if not create(self._path, this_owner()):
            raise HeldError(f"{self.folder}: another process has just begun to run this sweep; wait for it")
        self._renewed = began
        try:
            now = self._path.info().mtime_ns / 1e9
            others = [info for info in self._leases.infos() if info.base_name != self._path.name]
            self._give_way(others, now)
            for info in others:
                (self._leases / info.base_name).unlink(missing_ok=True)
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
        """Give the sweep free; a lease that can't be given back ends by itself."""
        self._released.set()
        self._thread.join()
        with suppress(OSError, SweepError):
            self.check()  # one that has ended is not ours to give
            if self._path.exists():  # else the sweep was deleted
                owner = json.loads(this_owner()) | {RELEASED: True}
                self._path.write_bytes(json.dumps(owner).encode())

    def _give_way(self, leases: "Iterable[FileInfo]", now: float) -> None:
        """Raises HeldError if one of the leases is alive at a time of the store's."""
        for owner in alive(self._leases, leases, now):
            raise HeldError(
                f"{self.folder}: {owner} runs this sweep; wait for it, or stop it (if it is dead, its "
                f"lease ends {LEASE_SECONDS:.0f} s after it)"
            )

    def _store_time(self) -> float:
        """The store's clock (s since 1970): ours need not agree with it."""
        probe = self._leases.parent / f"{LOCK}-probe-{uuid.uuid4().hex}"
        probe.write_bytes(b"")
        try:
            return float(probe.info().mtime_ns / 1e9)
        finally:
            probe.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            with suppress(OSError, SweepError):
                self.check()  # a lease that has ended is not renewed: another may have been made meanwhile
                began = _now()
                self._path.write_bytes(this_owner())
                self._renewed = began


def alive(folder: ObjectPath, leases: "Iterable[FileInfo]", now: float) -> list[str]:
    """Who has made those leases in `folder` that are alive at a time (s since 1970)."""
    owners = []
    for info in leases:
        if now - info.mtime_ns / 1e9 < LEASE_SECONDS:
            try:
                owner = json.loads((folder / info.base_name).read_bytes())
                host, process = str(owner["host"]), [str(one) for one in owner["process"]]
                released = RELEASED in owner
            except FileNotFoundError:  # given up meanwhile
                continue
            except (ValueError, KeyError, TypeError):
                host, process, released = "an unknown machine", [], False
            if not released and not gone(process):
                owners.append(f"a process on {host}")
    return owners


def _number(name: str) -> int:
    """The number of a lease by the name of its file; 0 for one of an earlier version."""
    return int(name) if re.fullmatch(r"\d{6}", name) else 0


def _now() -> float:
    """A clock that does not stand still while the machine sleeps (s)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
