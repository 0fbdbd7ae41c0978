"""The process that runs a sweep: who it is, and how one of this machine is stopped."""

import json
import os
import signal
import subprocess
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
    slurm: str | None = None
    """The number of the job of SLURM's that it is of."""

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
            job = str(owner.get("slurm") or "")
            process = [str(part) for part in owner["process"]]
            found.append(Driver(str(owner["host"]), process, job if job.isdecimal() else None))
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


def interrupt_job(job: str, folder: StoragePath, patience: float = PATIENCE) -> None:
    """Have SLURM tell a job to stop for good, and wait until it has let go of the sweep in `folder`.

    Our batch script takes SIGINT for a stop; after SIGTERM, which is SLURM's own notice, it would come again.
    Raises SweepError if SLURM can't be asked, or the job does not end within `patience` (s).
    """
    command = ["scancel", "--signal=INT", "--batch", job]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=patience)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = "there is no scancel here" if isinstance(error, OSError) else "it does not answer"
        cure = f"run `{' '.join(command)}` where SLURM is"
        raise SweepError(f"the sweep is SLURM job {job}, which can't be told: {reason}; {cure}") from error
    if done.returncode:
        raise SweepError(f"SLURM job {job} can't be told to stop: {done.stderr.strip()}")
    until = time.monotonic() + patience
    while is_running(folder):
        if time.monotonic() > until:
            raise SweepError(f"SLURM job {job} was told to stop and still runs; `scancel {job}` ends it")
        time.sleep(0.1)
