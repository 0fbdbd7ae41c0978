"""Who is told what happens in a sweep."""

from collections.abc import Mapping
from typing import Any, Protocol

from service.record.rows import FinishedTrial, Metrics


class Listener(Protocol):
    """Somebody who is told what happens, after it was recorded."""

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """A trial runs, for the first time or again."""

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """A trial has finished an epoch."""

    def trial_finished(self, finished: FinishedTrial) -> None:
        """A trial is over."""

    def worker_idle(self, running: int) -> None:
        """A trial is over whose worker has nothing more to do: all have begun, and `running` still run."""
