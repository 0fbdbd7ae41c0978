"""Whether a trial goes on, decided after each of its reports."""

import time
from collections.abc import Callable, Mapping
from math import isfinite

from search import make_rule
from search.objectives import metrics_needed
from service.config.sweep import SweepSpec
from service.control.running_trial import RunningTrial
from service.record import Record
from service.record.rows import Metrics
from service.worker.task import Report

SILENT_SECONDS = 60.0
"""Beyond its time limit, a trial that does not report may take so long to start or to finish an epoch."""


Fault = Callable[[Mapping[str, float]], str | None]


class StoppingPolicy:
    """Decides after each report whether a trial goes on. Knows the reports of earlier sessions, too."""

    def __init__(self, spec: SweepSpec, record: Record, fault: Fault) -> None:
        """Args: the sweep; its results so far; why metrics are of no use to the search."""
        self._spec, self._fault = spec, fault
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
        if report.failure is not None:
            return "failed", report.failure
        # Not the time of the epoch: a trial is judged by what it has cost so far.
        means = {name: mean for name, (mean, _) in metrics.items()} | {"seconds": running.seconds}
        # Measures are taken when training is over, and can't be at fault before.
        fault = self._fault(means if report.done else means | dict.fromkeys(self._spec.measures, 0.0))
        if fault is not None:
            return "failed", f"{fault} at epoch {report.epoch}"
        if report.done:
            return "complete", None
        return self._beyond_limits(report, running) or self._stopped(report, running, means)

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

    def _stopped(
        self, report: Report, running: RunningTrial, means: Mapping[str, float]
    ) -> tuple[str, str] | None:
        after = self._spec.stopping.silent_after
        if after is not None and running.silent_epochs >= after:
            return "pruned", f"silent: no neuron has fired in {running.silent_epochs} epochs"
        if running.begun.parent is not None:  # more seeds of a leader are not a race
            return None
        reason = self._rule.report(report.trial, report.epoch, means)
        return None if reason is None else ("pruned", reason)

    def _replay(self, record: Record) -> None:
        """Let the rule see the reports of earlier sessions."""
        needed = metrics_needed(self._spec.objectives, self._spec.constraints) | {"seconds"}
        names = sorted(needed - set(self._spec.measures))  # no rule decides by what is measured at the end
        epochs = record.rows("epochs", ["trial", "epoch", *names])
        means = epochs.group_by(["trial", "epoch"], use_threads=False).aggregate([(n, "mean") for n in names])
        seconds: dict[int, float] = {}
        for row in means.sort_by([("epoch", "ascending")]).to_pylist():
            trial = row["trial"]
            seconds[trial] = seconds.get(trial, 0.0) + (row["seconds_mean"] or 0.0)
            metrics = {name: row[f"{name}_mean"] for name in names} | {"seconds": seconds[trial]}
            if all(value is not None and isfinite(value) for value in metrics.values()):
                self._rule.report(trial, row["epoch"], metrics)


def _most_epochs(spec: SweepSpec) -> int:
    """The epochs of the longest trial."""
    searched = [f.domain.ends() for f in spec.space.fields if f.path == "learner.epochs"]
    return max([spec.learner.epochs, *(int(end) for ends in searched for end in ends if end is not None)])
