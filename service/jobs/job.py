"""A sweep's job on a cluster: its name there, and what the cluster says of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SWEEP, OUT, ASKED, CODE = "polychrony.sweep", "polychrony.out", "polychrony.asked", "polychrony.code"
"""What a job of ours carries along."""

RUNNING = ("PENDING", "RUNNING")
FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Exit codes of `polychrony run`."""


@dataclass(frozen=True)
class Job:
    """A job that runs a sweep, or did."""

    id: str
    sweep: str
    out: str
    """The folder of all sweeps, as the cluster sees it."""
    asked: str
    """SHA-256 of the resolved sweep that was sent; empty if it took up what was stored."""
    code: str
    """Where its code came from; see `service.jobs.package`."""
    state: str
    """Ray's: PENDING, RUNNING, SUCCEEDED, FAILED, STOPPED."""
    started: float
    """Seconds since 1970."""
    ended: float | None = None
    exit: int | None = None
    """Exit code of the driver, where it came so far."""
    message: str = ""
    """What Ray says about its end."""

    @property
    def runs(self) -> bool:
        """Whether it runs or waits."""
        return self.state in RUNNING

    @property
    def exit_code(self) -> int:
        """What `polychrony run` would have ended with."""
        if self.state == "SUCCEEDED":
            return 0
        if self.state == "STOPPED":
            return INTERRUPTED
        return self.exit if self.exit in (FAILED, REFUSED, INTERRUPTED) else FAILED

    @property
    def folder(self) -> str:
        """The folder of the sweep, as the cluster sees it."""
        return f"{self.out.rstrip('/')}/{self.sweep}"


def job_of(details: Any) -> Job | None:
    """A job as Ray's client describes it; None if it is none of ours."""
    metadata: Mapping[str, str] = details.metadata or {}
    if details.submission_id is None or SWEEP not in metadata:
        return None
    return Job(
        id=details.submission_id,
        sweep=metadata[SWEEP],
        out=metadata.get(OUT, ""),
        asked=metadata.get(ASKED, ""),
        code=metadata.get(CODE, ""),
        state=str(getattr(details.status, "value", details.status)),
        started=(details.start_time or 0) / 1000,
        ended=details.end_time / 1000 if details.end_time else None,
        exit=details.driver_exit_code,
        message=details.message or "",
    )


def latest(jobs: Iterable[Job]) -> list[Job]:
    """The last job of each sweep; one that runs comes before any that does not."""
    last: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: (job.runs, job.started, number_of(job.id))):
        last[job.folder] = job
    return list(last.values())


def job_id(sweep: str, out: str, number: int) -> str:
    """The name on the cluster of the `number`-th job of a sweep: two that are sent at once clash there.

    >>> job_id("wiring", "/shared/runs", 2)
    'polychrony-wiring-e0705c71-2'
    """
    place = hashlib.sha256(out.encode()).hexdigest()[:8]
    return f"polychrony-{sweep}-{place}-{number}"


def number_of(name: str) -> int:
    """The number in the name of a job.

    >>> number_of("polychrony-wiring-e0705c71-2")
    2
    """
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def digest(text: str) -> str:
    """SHA-256 (hex) of a resolved sweep."""
    return hashlib.sha256(text.encode()).hexdigest()
