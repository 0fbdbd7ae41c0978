"""The process that runs a sweep: who it is, and how one of this machine is stopped."""

import json
import os
import signal
import time
from dataclasses import dataclass

from service.errors import SweepError
from service.storage.lock import is_running, owner_files
from service.storage.paths import StoragePath
from service.storage.process import is_ours

PATIENCE = 60.0
"""Seconds that a driver may take to end after it was interrupted."""


@dataclass(frozen=True)
class Driver:
    """A process that runs a sweep, or did."""

    host: str
    process: list[str]
    """See `service.storage.process.is_ours`."""

    @property
    def here(self) -> bool:
        """Whether it is a process of this machine that is still there."""
        return is_ours(self.process)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return int(self.process[2])


def driver_of(folder: StoragePath) -> Driver | None:
    """The last driver of the sweep in `folder`, which may be gone; None if none is known."""
    found = []
    for path in owner_files(folder):
        try:
            owner = json.loads(path.read_bytes())
            found.append(Driver(str(owner["host"]), [str(part) for part in owner["process"]]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return next((driver for driver in found if driver.here), found[0] if found else None)


def interrupt(driver: Driver, folder: StoragePath, patience: float = PATIENCE) -> None:
    """Do to a driver of this machine what ctrl-C does, and wait until it has let go of the sweep in `folder`.

    Raises SweepError if it may not be signalled, or does not end within `patience` (s).
    """
    try:
        os.kill(driver.pid, signal.SIGINT)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise SweepError(f"process {driver.pid} belongs to another user, who may stop it") from error
    until = time.monotonic() + patience
    while driver.here and is_running(folder):
        if time.monotonic() > until:
            raise SweepError(
                f"process {driver.pid} was interrupted and still runs; wait, or end it by "
                f"`kill -9 {driver.pid}`: what is finished is kept"
            )
        time.sleep(0.1)
