"""`polychrony stop`: a sweep is interrupted, here or on a cluster, and what is kept is said."""

from rich.console import Console

from service.commands.driver_process import driver_of, interrupt, interrupt_job
from service.errors import SweepError
from service.jobs.dashboard import Dashboard
from service.jobs.job import Job
from service.jobs.package import STOP_SECONDS
from service.storage.lock import is_running
from service.storage.paths import StoragePath

PATIENCE = STOP_SECONDS + 12.0
"""Seconds until a job must have ended that was told to stop."""


def stop_job(dashboard: Dashboard, job: Job, console: Console) -> None:
    """Stop the job of a sweep as ctrl-C would, and say what is kept."""
    if not job.runs:
        _print(console, f"{job.sweep} does not run: job {job.id} is {job.state}")
        return
    dashboard.stop(job.id, PATIENCE)
    again = f"`polychrony resume {job.sweep} --address {dashboard.address}` goes on"
    _print(console, f"{job.sweep} is stopped; {_kept(job.folder)}; {again}")


def stop_here(name: str, folder: StoragePath, console: Console) -> None:
    """Stop the process of this machine, or the job of SLURM's, that runs a sweep, and say what is kept.

    Raises SweepError if it runs elsewhere.
    """
    driver = driver_of(folder)
    if not is_running(folder):
        _print(console, f"{name} does not run")
        if driver is not None and driver.slurm and not driver.here:
            job = driver.slurm
            _print(console, f"if SLURM job {job}, which ran it last, waits to go on, `scancel {job}` ends it")
        return
    if driver is not None and driver.slurm and not driver.here:
        interrupt_job(driver.slurm, folder)
        again = f"`polychrony slurm` or `resume {name}` goes on"
        _print(console, f"{name} is stopped; {_kept(folder)}; {again}")
        return
    if driver is None or not driver.here:
        where = "another machine" if driver is None else f"a process of the machine {driver.host}"
        raise SweepError(
            f"{name} is run by {where}; stop it there, or by --address if a cluster runs it as a job"
        )
    interrupt(driver, folder)
    _print(console, f"{name} is stopped; {_kept(folder)}; `polychrony resume {name}` goes on")


def _kept(folder: str | StoragePath) -> str:
    # Imported only now, for it takes seconds, and stopping should not.
    from service.commands.status import kept

    return kept(folder)


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
