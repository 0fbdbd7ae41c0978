"""A lease on a sweep that lives on an object store, where nothing can be locked.

A driver puts a file of its own into the sweep's folder, renews it by and by, and gives way if there is
another lease that is alive. Of two drivers at least the later one sees the other's, so never both go on;
two that start at the same moment may both give way. A lease that was not renewed for LEASE_SECONDS, by the
store's clock, is dead, and so is that of a process of this machine that is gone. A driver that could not
renew its lease for TRUST_SECONDS does not write any more: it can't know who has taken over.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from service.errors import HeldError, SweepError
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


class Lease:
    """A lease on a sweep on an object store."""

    def __init__(self, folder: ObjectPath) -> None:
        self.folder = folder.guarded(self.check)
        """For who has acquired it."""
        self._leases = folder / LOCK
        self._path = self._leases / uuid.uuid4().hex
        self._renewed = 0.0
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def acquire(self) -> None:
        """Raises HeldError if there is another lease that is alive, OSError if the store can't be used."""
        self._renew()
        try:
            leases = self._leases.infos()
            others = [info for info in leases if info.base_name != self._path.name]
            now = max(info.mtime_ns for info in leases) / 1e9  # the store's clock, not ours
            for owner in alive(self._leases, others, now):
                raise HeldError(
                    f"{self.folder}: {owner} runs this sweep; wait for it, or stop it (if it is dead, its "
                    f"lease ends {LEASE_SECONDS:.0f} s after it)"
                )
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
        """Give the sweep free; a lease that can't be removed ends by itself."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            with suppress(OSError, SweepError):
                self.check()  # a lease that has ended is not renewed: another may have been made meanwhile
                self._renew()

    def _renew(self) -> None:
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
            except FileNotFoundError:  # given up meanwhile
                continue
            except (ValueError, KeyError, TypeError):
                host, process = "an unknown machine", []
            if not gone(process):
                owners.append(f"a process on {host}")
    return owners


def _now() -> float:
    """A clock that does not stand still while the machine sleeps (s)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
