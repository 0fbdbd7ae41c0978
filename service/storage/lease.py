"""A lease on a sweep that lives on an object store, where nothing can be locked.

There is one lease file a sweep. It is made on the condition that there is none, and renewed, taken over and
given back on the condition that it is still what it was; so the store lets one of many succeed, and who was
overtaken is told. A lease that was not renewed for LEASE_SECONDS, by the store's clock, is dead, and so is
that of a process of this machine that is gone. A driver whose lease was taken over writes no more, and
neither does one that could not renew it for TRUST_SECONDS: it can't know who has taken over.

Earlier versions had a file for each driver, with a name of its own: these keep others away as long as they
are alive, and are removed when they are dead.
"""

import errno
import json
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

from service.errors import HeldError, SweepError
from service.storage.conditional.file import Stored
from service.storage.conditional.stores import conditional
from service.storage.layout import LEASE, LOCK
from service.storage.paths import ObjectPath
from service.storage.process import gone, this_owner

RENEW_SECONDS = 10.0
TRUST_SECONDS = 40.0
"""A driver writes for so long after its last renewal."""
LEASE_SECONDS = 60.0
"""Others wait for so long after it; what was on its way then has arrived."""


class Lease:
    """A lease on the sweep in `folder`, to be acquired and released once."""

    def __init__(self, folder: ObjectPath) -> None:
        self.folder = folder.guarded(self.check)
        """For who has acquired it."""
        self._path = folder / LOCK / LEASE
        self._file = conditional(self._path)
        self._id = uuid.uuid4().hex
        self._tag: str | None = None
        """Of the lease file as we know it; None if there was none."""
        self._renewed = 0.0
        self._lost = False
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def acquire(self) -> None:
        """Raises HeldError if there is another lease that is alive, OSError if the store can't be used."""
        began, found = _now(), self._file.read()
        self._give_way(found)
        self._tag = found.tag if found else None
        try:
            if not self._put():
                raise HeldError(
                    f"{self.folder}: another process has just begun to run this sweep; wait for it"
                )
            self._check_conditions()
            self._remove_earlier_versions()
        except BaseException:
            self._give_back()
            raise
        self._renewed = began
        self._thread.start()

    def check(self) -> None:
        """Raises SweepError if the sweep was taken over, or may have been."""
        if self._lost:
            raise SweepError(
                f"{self.folder}: another process has taken this sweep over, and goes on with what is "
                "recorded; wait for it, or stop it"
            )
        if _now() - self._renewed > TRUST_SECONDS:
            raise SweepError(
                f"{self.folder}: could not be reached for {TRUST_SECONDS:.0f} s, and another process may run "
                "the sweep by now; run the same command again to go on"
            )

    def renew(self) -> bool:
        """Say that this process is alive; returns whether the lease is still its own."""
        began = _now()
        self._lost = not self._put()
        if not self._lost:
            self._renewed = began
        return not self._lost

    def release(self) -> None:
        """Give the sweep free; a lease that can't be given back ends by itself."""
        self._released.set()
        self._thread.join()
        self._give_back()

    def _give_way(self, found: Stored | None) -> None:
        if owner := _holder(found):
            raise HeldError(
                f"{self.folder}: {owner} runs this sweep; wait for it, or stop it (if it is dead, its "
                f"lease ends {LEASE_SECONDS:.0f} s after it)"
            )

    def _check_conditions(self) -> None:
        """Try what must be refused: a store that heeds no conditions can't keep two drivers apart."""
        if self._file.put(self._content(), None) is not None:
            fault = "the store does not heed If-None-Match and can't keep two drivers apart"
            raise OSError(errno.ENOTSUP, fault, str(self._path))

    def _remove_earlier_versions(self) -> None:
        """Give way to leases of earlier versions that are alive, and remove those that are dead."""
        others = [one for one in self._path.parent.iterdir() if one.name != LEASE]
        for path in others:
            self._give_way(conditional(path).read())
        for path in others:
            path.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not (self._lost or self._released.wait(RENEW_SECONDS)):
            with suppress(OSError, SweepError):
                self.check()  # a lease that has ended is not renewed: another may be about to take over
                self.renew()

    def _put(self) -> bool:
        """Put the lease in place of the one that we know of; returns whether it is ours."""
        tag = self._file.put(self._content(), self._tag)
        if tag is None and (ours := self._ours()):  # the answer to an earlier put was lost
            tag = self._file.put(self._content(), ours.tag)
        if tag is not None:
            self._tag = tag
        return tag is not None

    def _give_back(self) -> None:
        with suppress(OSError):
            if ours := self._ours():
                self._file.put(self._content(released=True), ours.tag)

    def _ours(self) -> Stored | None:
        """The lease file, if we have put it."""
        found = self._file.read()
        return found if found and _owner(found).get("lease") == self._id else None

    def _content(self, released: bool = False) -> bytes:
        """What stands in the lease: never the same twice."""
        owner = json.loads(this_owner())
        return json.dumps(
            {**owner, "lease": self._id, "put": uuid.uuid4().hex, "released": released}
        ).encode()


def is_leased(folder: ObjectPath) -> bool:
    """Whether a driver holds the sweep in `folder`, of this version or an earlier one."""
    return any(_holder(conditional(path).read()) for path in (folder / LOCK).iterdir())


def _holder(found: Stored | None) -> str | None:
    """Who holds a lease, in words; None if nobody does: it was given back, or has ended."""
    if found is None or found.age >= LEASE_SECONDS:
        return None
    owner = _owner(found)
    try:
        host, process = str(owner["host"]), [str(one) for one in owner["process"]]
    except (KeyError, TypeError):
        return "a process on an unknown machine"
    return None if owner.get("released") or gone(process) else f"a process on {host}"


def _owner(found: Stored) -> dict[str, Any]:
    """What stands in a lease; nothing if it can't be read."""
    try:
        owner = json.loads(found.content)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _now() -> float:
    """A clock that does not stand still while the machine sleeps (s)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
