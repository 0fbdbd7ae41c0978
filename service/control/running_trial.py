"""A trial that runs, as the controller knows it."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from service.record.plan import PlannedTrial
from service.record.rows import Metrics, summarize
from service.worker.task import Origin, Report, Task


@dataclass
class RunningTrial:
    """A trial that runs."""

    begun: PlannedTrial
    task: Task
    environment: int
    """Number of the environment that it runs in; see `service.record.provenance`."""
    since: float | None = None
    """When it got a worker or last reported, by the monotonic clock (s); None while it waits for a worker."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    origin: Origin = field(default_factory=Origin)
    latest: Metrics = field(default_factory=dict)
    births: dict[str, Any] = field(default_factory=dict)
    """Of a child: means over replicates `before_jitter` and `after_jitter`, and the `steps` as applied."""
    silent_epochs: int = 0
    """Epochs in a row without a spike."""

    def charge(self, report: Report) -> None:
        """It has reported: count what that has cost."""
        self.since = time.monotonic()
        self.origin = report.origin
        self.cpu_seconds += report.cpu_seconds
        if report.births:
            self.births = {
                when: {name: mean for name, (mean, _) in summarize(values).items()}
                for when, values in report.births.items()
            } | {"steps": report.steps}

    def note(self, metrics: Metrics) -> None:
        """Take in the metrics of an epoch."""
        self.latest = metrics
        self.seconds += metrics["seconds"][0] if "seconds" in metrics else 0.0
        silent = "silent" in metrics and metrics["silent"][0] == 1.0
        self.silent_epochs = self.silent_epochs + 1 if silent else 0

    def noted(self) -> dict[str, Any]:
        """What no table has before the trial is over, as JSON: it may be ended without another report."""
        return {"births": self.births, "origin": asdict(self.origin), "cpu_seconds": self.cpu_seconds}

    def recall(self, noted: Mapping[str, Any]) -> None:
        """Take in what an earlier session has noted."""
        if noted:
            self.births, self.cpu_seconds = noted["births"], noted["cpu_seconds"]
            self.origin = Origin(**noted["origin"])
