"""What the job of a sweep says, followed to its end, and how that end is told."""

import sys

from rich.console import Console

from service.jobs.dashboard import Dashboard
from service.jobs.job import FAILED, INTERRUPTED, REFUSED, Job


def follow(dashboard: Dashboard, name: str, console: Console) -> int:
    """Show what a job says until it ends; returns the exit code of its sweep."""
    sweep = name.removeprefix("polychrony-").rsplit("-", 2)[0]
    at = f"--address {dashboard.address}"
    try:
        job = dashboard.follow(name, _write)
    except KeyboardInterrupt:
        console.print(
            f"\n{sweep} goes on. `polychrony logs {sweep} {at}` follows it again, "
            f"`polychrony stop {sweep} {at}` ends it.",
            highlight=False,
            soft_wrap=True,
        )
        return INTERRUPTED
    if said := end_in_words(job, dashboard.address):
        console.print(said, highlight=False, soft_wrap=True)
    return job.exit_code


def end_in_words(job: Job, address: str) -> str:
    """What there is to say of a job's end that its log does not say."""
    again = f"`polychrony resume {job.sweep} --address {address}` goes on"
    if job.state == "SUCCEEDED":
        return ""
    if job.state == "STOPPED" or job.exit == INTERRUPTED:
        return f"{job.sweep} was stopped, and what is finished is kept; {again}."
    if job.exit == REFUSED:
        return (
            f"{job.sweep} could not start on the cluster, for what is said above. Files that a sweep names, "
            "and its folder, must be on storage that all nodes see by the same name."
        )
    if job.exit == FAILED:
        return f"{job.sweep} could not go on, for what is said above; what is finished is kept; {again}."
    first = job.message.strip().partition("\n")[0] or "Ray does not say why"
    return f"{job.sweep} lost its driver ({first}); what is finished is kept; {again}."


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
