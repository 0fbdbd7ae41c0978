"""`polychrony status` and `list --address`: how sweeps stand, on a cluster or here."""

import json
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from service.commands.driver_process import driver_of
from service.commands.listing import best_text, trials_text
from service.errors import PolychronyError, SweepError
from service.jobs.dashboard import Dashboard, Node
from service.jobs.job import Job, latest
from service.results.status import SweepStatus, status_of
from service.results.sweep import Sweep
from service.storage.paths import StoragePath, parse_path
from service.text import age_text, duration


def print_status(sweep: Sweep, console: Console, *, as_json: bool = False) -> None:
    """Say how the sweep in a folder stands, perhaps as JSON. Raises SweepError if it can't be read."""
    one = status_of(sweep)
    if as_json:
        sys.stdout.write(json.dumps(one.plain() | {"folder": str(sweep.folder)}, indent=2) + "\n")
        return
    if one.fault is not None:
        raise SweepError(one.fault)
    elapsed = sweep.plan.elapsed
    rate = sum(one.states.values()) / elapsed if elapsed else 0.0
    _print(console, f"{one.name}: {one.state}, {trials_text(one)} trials")
    if one.exhausted_budget:
        _print(console, f"stopped:     {one.exhausted_budget}")
    if one.best:
        _print(console, f"best:        {best_text(one)}")
    if rate:
        _print(console, f"rate:        {60 * rate:.3g} trials/min{_left(one, rate)}")
    _print(console, f"last change: {age_text(one.age)} ago")
    driver = driver_of(sweep.folder) if one.state == "running" else None
    if driver is not None and driver.slurm:
        _print(console, f"job:         {driver.slurm} of SLURM, on {driver.host}")
    _print(console, f"folder:      {sweep.folder}")


def print_job_status(dashboard: Dashboard, job: Job, console: Console) -> None:
    """Say how a sweep stands on a cluster: its folder, if it can be seen from here, its job, the nodes."""
    sweep = view(job.folder)
    if sweep is not None:
        print_status(sweep, console)
    else:
        _print(console, f"{job.sweep}: its folder {job.folder} can't be seen from here")
        said = [line for line in dashboard.log(job.id).splitlines() if line.strip()]
        if said:
            _print(console, f"last words:  {said[-1]}")
    _print(console, f"job:         {job.id}: {_job_text(job)}")
    nodes = dashboard.nodes()
    alive = [node for node in nodes if node.alive]
    cores = sum(node.cores for node in alive)
    _print(console, f"cluster:     {len(alive)} of {len(nodes)} nodes alive, {cores:g} cores")
    console.print(_node_table(nodes))


def print_jobs(dashboard: Dashboard, console: Console) -> None:
    """List the sweeps that a cluster has run, the latest first, with what their folders say."""
    jobs = sorted(latest(dashboard.jobs()), key=lambda job: -job.started)
    if not jobs:
        _print(console, f"no sweep has been submitted to {dashboard.address}")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("sweep", "job", "trials", "best", "folder"):
        table.add_column(name)
    for job in jobs:
        one = _status(job)
        trials, best = (trials_text(one), best_text(one)) if one else ("can't be seen from here", "")
        table.add_row(job.sweep, _job_text(job), trials, best, job.folder)
    console.print(table)


def kept(folder: str | StoragePath) -> str:
    """What there is of a sweep that was stopped, as far as it can be seen from here."""
    sweep = view(folder)
    return "what is finished is kept" if sweep is None else f"{trials_text(status_of(sweep))} trials are kept"


def view(folder: str | StoragePath) -> Sweep | None:
    """The sweep in a folder as the cluster names it, if it can be seen from here."""
    try:
        return Sweep(parse_path(folder))
    except (PolychronyError, OSError):
        return None


def _status(job: Job) -> SweepStatus | None:
    sweep = view(job.folder)
    return None if sweep is None else status_of(sweep)


def _left(one: SweepStatus, rate: float) -> str:
    """The time left, of a sweep that runs."""
    if one.state != "running" or one.planned is None:
        return ""
    return f", {duration(max(0, one.planned - sum(one.states.values())) / rate)} left"


def _job_text(job: Job) -> str:
    """The state of a job, and since when."""
    now = time.time()
    if job.ended is None:
        return f"{job.state} since {age_text(max(0.0, now - job.started))}"
    return f"{job.state} {age_text(max(0.0, now - job.ended))} ago"


def _node_table(nodes: Sequence[Node]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("node", "", "state", "cores"):
        table.add_column(name)
    for node in nodes:
        state = "alive" if node.alive else "lost"
        table.add_row(node.ip, "head" if node.head else "", state, f"{node.cores:g}")
    return table


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
