"""`polychrony submit` and `polychrony resume --address`: a sweep as a job of a cluster."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from service.config.load import load
from service.config.sweep import dump
from service.errors import Fault, UserError
from service.jobs.dashboard import Dashboard
from service.jobs.follow import follow
from service.jobs.job import ASKED, CODE, OUT, SWEEP, Job, digest, job_id, latest, number_of
from service.jobs.package import SHIP, packed
from service.storage.layout import RUNS
from service.storage.paths import StoragePath, parse_path
from service.text import age_text, has_password
from service.tracking.location import VARIABLE, named_store


def submit(
    file: Path,
    address: str,
    out: str | StoragePath,
    overrides: Sequence[str],
    console: Console,
    *,
    detach: bool = False,
    code: str = SHIP,
) -> int:
    """Check a sweep file here and run it as a job of the cluster at `address`.

    Args:
        file: the sweep file.
        address: URL of the cluster's dashboard.
        out: folder of all sweeps as the cluster sees it; a relative one is meant from the working folder.
        overrides: of `--set`.
        console: where it is said what happens.
        detach: do not wait for its end.
        code: where its code comes from, one of `service.jobs.package.CODES`.

    Returns:
        The exit code: that of the sweep, or 0 if it is not waited for.

    Raises:
        UserError: if the file, address or token is wrong; nothing is sent then.
        SweepError: if the cluster can't be used.
    """
    spec = load(file, overrides, elsewhere=True)
    dashboard = Dashboard.connect(address)
    name = start(dashboard, spec.name, seen_from_anywhere(out), console, text=dump(spec), code=code)
    return 0 if detach else follow(dashboard, name, console)


def resume(dashboard: Dashboard, sweep: str, out: str | None, console: Console, *, text: str | None) -> int:
    """Have a cluster go on with a sweep, and follow it; returns the exit code.

    Args:
        dashboard: of the cluster.
        sweep: its name.
        out: folder of all sweeps; None: where its last job had it, or the working folder's `runs`.
        console: where it is said what happens.
        text: the stored sweep, if it is to be sent; None to take it from the folder as the cluster sees it.
    """
    known = any(job.sweep == sweep and out in (None, job.out) for job in dashboard.jobs())
    if known:
        last = dashboard.find(sweep, out)
        out, code = last.out, last.code
    else:  # a cluster that was started anew knows of no job, and the folder decides
        out, code = out or seen_from_anywhere(RUNS), SHIP
    return follow(dashboard, start(dashboard, sweep, out, console, text=text, code=code), console)


def seen_from_anywhere(out: str | StoragePath) -> str:
    """A folder of all sweeps by a name that does not depend on the working folder."""
    return str(parse_path(out).absolute())


def start(
    dashboard: Dashboard, sweep: str, out: str, console: Console, *, text: str | None, code: str
) -> str:
    """Send a job that runs a sweep, unless one runs already; returns the name of the one that runs.

    Args:
        dashboard: of the cluster.
        sweep: its name.
        out: folder of all sweeps, as the cluster sees it.
        console: where it is said what happens.
        text: the resolved sweep; None to take up the one that is stored in its folder.
        code: one of `service.jobs.package.CODES`.

    Raises UserError if the sweep runs already, and is another.
    """
    asked = digest(text) if text is not None else ""
    while True:
        jobs = [job for job in dashboard.jobs() if (job.sweep, job.out) == (sweep, out)]
        for last in latest(jobs):
            if last.runs:
                _say_it_runs(last, asked, dashboard, console)
                return last.id
            console.print(_after(last), highlight=False, soft_wrap=True)
        name = job_id(sweep, out, 1 + max((number_of(job.id) for job in jobs), default=0))
        metadata = {SWEEP: sweep, OUT: out, ASKED: asked, CODE: code}
        file = f"{sweep}.yaml" if text is not None else f"{out}/{sweep}/sweep.yaml"
        with packed(file, out, code, text, _variables()) as package:
            sent = dashboard.submit(
                name, package.entrypoint, metadata=metadata, runtime_env=package.runtime_env
            )
        if sent:  # else somebody else was quicker: see what that is
            console.print(f"{sweep} is job {name} of {dashboard.address}.", highlight=False, soft_wrap=True)
            console.print(f"Its folder there: {out}/{sweep}", highlight=False, markup=False, soft_wrap=True)
            return name


def _say_it_runs(job: Job, asked: str, dashboard: Dashboard, console: Console) -> None:
    if asked and job.asked and asked != job.asked:
        fault = (
            f"the sweep runs already as job {job.id}, with other settings; stop it first by `polychrony stop "
            f"{job.sweep} --address {dashboard.address}`, or choose another name"
        )
        raise UserError([Fault(job.sweep, "name", fault)])
    age = age_text(max(0.0, time.time() - job.started))
    console.print(f"{job.sweep} runs already, as job {job.id}, since {age}.", highlight=False, soft_wrap=True)


def _after(last: Job) -> str:
    if last.state == "SUCCEEDED":
        return f"{last.sweep} was finished by job {last.id}; if nothing has been added, the new job says so."
    return f"{last.sweep} was begun by job {last.id}, which is {last.state}; the new job goes on from there."


def _variables() -> dict[str, str]:
    """What of our environment is to hold for the job, too."""
    uri = named_store()
    if uri is None:
        return {}
    if has_password(uri):
        cure = "would be seen by all who use the cluster; set it where Ray is started, and unset it here"
        raise UserError([Fault(VARIABLE, "password", cure)])
    return {VARIABLE: uri}
