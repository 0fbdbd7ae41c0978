"""The commands on one sweep: of a cluster, given the URL of its dashboard, or else of a folder of sweeps.

They import what they need when they run: what reads tables takes seconds to load, and not all of them do.
"""

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from service.errors import Fault, UserError
from service.storage.layout import RUNS, sweep_file
from service.storage.paths import ObjectPath, StoragePath

if TYPE_CHECKING:
    from service.jobs.dashboard import Dashboard
    from service.results.sweep import Sweep


def status(
    name: str, address: str | None, out: StoragePath | None, console: Console, *, as_json: bool = False
) -> None:
    """Say how a sweep stands; on a cluster also its job and the nodes, and then never as JSON."""
    from service.commands.status import print_job_status, print_status

    if address is None:
        print_status(_sweep(name, out), console, as_json=as_json)
    else:
        dashboard = _connected(address)
        print_job_status(dashboard, dashboard.find(name, _seen(out)), console)


def logs(
    name: str, address: str | None, out: StoragePath | None, console: Console, *, following: bool
) -> int:
    """Print what the job of a sweep has said, and `following` what it says; returns the exit code."""
    from service.jobs.follow import follow

    if address is None:
        fault = (
            "is missing: the log is that of a cluster's job; a sweep that runs here says all on its "
            f"terminal, and `polychrony status {name}` how it stands"
        )
        raise UserError([Fault("logs", "--address", fault)])
    dashboard = _connected(address)
    job = dashboard.find(name, _seen(out))
    if following and job.runs:
        return follow(dashboard, job.id, console)
    sys.stdout.write(dashboard.log(job.id))
    return 0


def stop(name: str, address: str | None, out: StoragePath | None, console: Console) -> None:
    """Stop a sweep as ctrl-C would."""
    from service.commands.stop import stop_here, stop_job

    if address is None:
        sweep = _sweep(name, out)
        stop_here(sweep.name, sweep.folder, console)
    else:
        dashboard = _connected(address)
        stop_job(dashboard, dashboard.find(name, _seen(out)), console)


def resume(name: str, address: str | None, out: StoragePath | None, console: Console) -> int:
    """Go on with a sweep as its folder has it; returns the exit code."""
    if address is None:
        from service.commands.run import run

        sweep = _sweep(name, out)
        run(sweep_file(sweep.folder), sweep.folder.parent, [], console)
        return 0
    from service.jobs.submit import resume as resume_job

    text = sweep_file(_sweep(name, out).folder).read_text() if isinstance(out, ObjectPath) else None
    return resume_job(_connected(address), name, _seen(out), console, text=text)


def list_sweeps(address: str | None, out: StoragePath, console: Console, *, as_json: bool = False) -> None:
    """List the sweeps of a folder, or those that a cluster has run, which never is JSON."""
    if address is None:
        from service.commands.listing import print_list

        print_list(out, console, as_json=as_json)
    else:
        from service.commands.status import print_jobs

        print_jobs(_connected(address), console)


def _connected(address: str) -> "Dashboard":
    from service.jobs.dashboard import Dashboard

    return Dashboard.connect(address)


def _sweep(name: str, out: StoragePath | None) -> "Sweep":
    from service.results.sweeps import sweeps_named

    return sweeps_named([name], out or RUNS)[0]


def _seen(out: StoragePath | None) -> str | None:
    """A folder of sweeps by a name that does not depend on the working folder; None if none was given."""
    return None if out is None else str(out.absolute())
