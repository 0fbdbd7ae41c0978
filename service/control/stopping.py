"""Whether a trial goes on, decided after each of its reports."""

import time
from collections.abc import Callable, Mapping
from math import isfinite

from search import make_rule
from search.objectives import metrics_needed
from service.config.sweep import SweepSpec
from service.control.running_trial import RunningTrial
from service.record.record import Record
from service.record.rows import Metrics, reported_means
from service.worker.task import Report

SILENT_SECONDS = 60.0
"""Beyond its time limit, a trial that does not report may take so long to start or to finish an epoch."""


class StoppingPolicy:
    """Decides after each report whether a trial goes on. Knows the reports of earlier sessions, too.

    A stopping rule hears of every epoch that is recorded of a trial in the race, whatever becomes of the
    trial at that epoch, and of no other. So a rule that is rebuilt from the record has heard what one heard
    that never stopped.
    """

    def __init__(
        self,
        spec: SweepSpec,
        record: Record,
        fault: Callable[[Mapping[str, float]], str | None],
        races: Callable[[int], bool],
    ) -> None:
        """Let the rule hear what is recorded.

        Args:
            spec: the sweep.
            record: its results so far.
            fault: why metrics are of no use to the search, or None.
            races: whether a trial is compared with others. More seeds of a leader are not a race.
        """
        self._spec, self._fault, self._races = spec, fault, races
        # No rule decides by what is measured when training is over.
        self._heard = metrics_needed(spec.objectives, spec.constraints) - set(spec.measures)
        self._rule = make_rule(
            spec.stopping.rule,
            spec.objectives,
            spec.constraints,
            grace=spec.stopping.grace,
            reduction=spec.stopping.reduction,
            max_epochs=_most_epochs(spec),
        )
        if spec.stopping.rule != "none":
            self._replay(record)

    def decide(
        self, report: Report, running: RunningTrial, metrics: Metrics
    ) -> tuple[str, str | None] | None:
        """The state that a report puts its trial in, with the reason; None if it goes on."""
        # Not the time of the epoch: a trial is judged by what it has cost so far.
        means = {name: mean for name, (mean, _) in metrics.items()} | {"seconds": running.seconds}
        not_worth_it = self._observe(report.trial, report.epoch, means) if metrics else None
        if report.failure is not None:
            return "failed", report.failure
        # Measures are taken when training is over, and can't be at fault before.
        fault = self._fault(means if report.done else means | dict.fromkeys(self._spec.measures, 0.0))
        if fault is not None:
            return "failed", f"{fault} at epoch {report.epoch}"
        if report.done:
            return "complete", None
        return self._beyond_limits(report, running) or self._silent(running) or not_worth_it

    def overdue(self, running: RunningTrial) -> str | None:
        """Why a trial must be ended that does not report, or None."""
        limit = self._spec.resources.time_limit
        if limit is None or running.since is None:
            return None
        seconds = running.seconds + time.monotonic() - running.since
        if seconds <= limit + SILENT_SECONDS:
            return None
        return f"time limit: no report after {seconds:.0f} s, {limit:g} are allowed"

    def _beyond_limits(self, report: Report, running: RunningTrial) -> tuple[str, str] | None:
        resources, epoch = self._spec.resources, report.epoch
        if resources.time_limit is not None and running.seconds > resources.time_limit:
            said = f"{running.seconds:.3g} s after epoch {epoch}, {resources.time_limit:g} are allowed"
            return "timed_out", f"time limit: {said}"
        if resources.memory_limit is not None and report.memory > resources.memory_limit * 1e6:
            said = f"{report.memory / 1e6:.0f} MB after epoch {epoch}, {resources.memory_limit:g} are allowed"
            return "failed", f"memory limit: {said}"
        return None

    def _silent(self, running: RunningTrial) -> tuple[str, str] | None:
        after = self._spec.stopping.silent_after
        if after is None or running.silent_epochs < after:
            return None
        return "pruned", f"silent: no neuron has fired in {running.silent_epochs} epochs"

    def _observe(self, trial: int, epoch: int, means: Mapping[str, float]) -> tuple[str, str] | None:
        """Let the rule hear of an epoch that is recorded; it may say that the trial is not worth more."""
        heard = {name: means[name] for name in self._heard if isfinite(means.get(name, float("nan")))}
        if len(heard) < len(self._heard) or not self._races(trial):
            return None
        reason = self._rule.report(trial, epoch, heard)
        return None if reason is None else ("pruned", reason)

    def _replay(self, record: Record) -> None:
        """Let the rule hear the reports of earlier sessions, in the order in which they were recorded."""
        names = sorted(self._heard | {"seconds"})
        seconds: dict[int, float] = {}
        for trial, epoch, means in reported_means(record.rows("epochs", ["trial", "epoch", *names]), names):
            seconds[trial] = seconds.get(trial, 0.0) + means.get("seconds", 0.0)
            self._observe(trial, epoch, means | {"seconds": seconds[trial]})


def _most_epochs(spec: SweepSpec) -> int:
    """The epochs of the longest trial."""
    searched = [f.domain.ends() for f in spec.space.fields if f.path == "learner.epochs"]
    return max([spec.learner.epochs, *(int(end) for ends in searched for end in ends if end is not None)])
