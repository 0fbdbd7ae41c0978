"""What runs next, and what became of each trial: the one place where that is decided.

The record decides. A trial is finished when its row is in `trials`; the search, MLflow and the display are
told after that, and on resume whatever they missed is told again. Knows nothing of Ray.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc

from search import Suggestion
from service.config.sweep import SweepSpec
from service.control.listener import Listener
from service.control.population import Population
from service.control.retention import NetworkRetention
from service.control.running_trial import RunningTrial
from service.control.stopping import StoppingPolicy
from service.control.tasks import make_task, schemas_of
from service.control.trial_queue import TrialQueue
from service.control.trial_rows import epoch_rows, params_of, row_of, row_of_none
from service.errors import SweepError
from service.record.leaders import duplicate_reason
from service.record.plan import PlannedTrial, WarmStartTrial, replaced_reason
from service.record.planned import planned_trial
from service.record.provenance import note_environment
from service.record.record import Record
from service.record.rows import Metrics, by_epoch, by_trial, finished_trial, summarize
from service.storage.atomic import remove_temporaries
from service.storage.layout import checkpoint_file, plan_file
from service.storage.paths import StoragePath, list_folder
from service.worker.task import Report, Task


@dataclass(frozen=True)
class Verdict:
    """What became of a report."""

    goes_on: bool
    """Whether its trial goes on."""
    advanced: bool
    """Whether it is news: the trial has come further than was recorded of it."""


class SweepController:
    """Conducts one sweep, from its start or from where its record ends."""

    def __init__(
        self,
        spec: SweepSpec,
        folder: StoragePath,
        listeners: Sequence[Listener] = (),
        sources: Sequence[WarmStartTrial] = (),
    ) -> None:
        """Open record and plan in `folder`, and rebuild the search from them.

        Args:
            spec: the sweep.
            folder: of the sweep.
            listeners: who is told what happens.
            sources: trials of earlier sweeps to start from; a sweep that has begun keeps its own.

        Raises:
            SweepError: if a file of theirs is damaged or can't be written.
        """
        self.spec, self.folder, self.listeners = spec, folder, listeners
        self._running: dict[int, RunningTrial] = {}
        self._paused: dict[int, RunningTrial] = {}  # members of a population that wait for their turn
        with ExitStack() as opened:  # what is open is closed if the rest can't be opened
            self.record = Record.open(folder, schemas_of(spec))
            opened.callback(self.record.close)
            self._end_unplanned()
            self.queue = TrialQueue(spec, folder, self.record, sources)
            opened.callback(self.queue.close)
            self._stopping = StoppingPolicy(spec, self.record, self.queue.fault, self.queue.is_suggestion)
            self._retention = NetworkRetention(spec, folder, self.record)
            self._end_replaced()
            self._tidy()
            opened.pop_all()

    @property
    def finished(self) -> int:
        """Trials that are finished."""
        return len(self.record.finished_trials())

    @property
    def running(self) -> int:
        """Trials that run, or wait for a worker."""
        return len(self._running)

    def next_task(self) -> Task | None:
        """The next trial to run: first those that were cut short, then new ones.

        None if there is none at the moment; see `TrialQueue`.
        """
        while self.queue.decide() is not None:
            self._end_replaced()
        while (begun := self.queue.next()) is not None:
            suggestion = begun.suggestion
            try:
                task = make_task(self.spec, self.folder, begun, self.queue.lineage(begun))
            except ValueError as error:  # its fields contradict each other
                self._finish(row_of_none(self.spec, begun, str(error)), {})
                continue
            if suggestion.duplicate_of is None:
                return self._start(begun, task)
            self._finish_duplicate(task, suggestion.duplicate_of)
        return None

    def take(self, report: Report) -> Verdict:
        """Record a report, and decide whether its trial goes on."""
        running = self._running.get(report.trial)
        if running is None:  # it was finished by a report that came before
            return Verdict(goes_on=False, advanced=False)
        if report.halt is not None:
            raise SweepError(f"trial {report.trial} could not go on: {report.halt}")
        metrics: Metrics = summarize(report.metrics | report.measures)
        self._charge(running, report, metrics)
        known = self.record.last_epoch(report.trial)
        advanced = known is None or report.epoch > known
        if not advanced:  # a trial taken up from a checkpoint goes through epochs that are recorded already
            if report.failure is None:
                return Verdict(goes_on=True, advanced=False)
            report, metrics = replace(report, metrics={}), {}
        if metrics:
            running.note(metrics)
        # Before a child has trained, there is nothing to decide by.
        end = None if report.births else self._stopping.decide(report, running, metrics)
        tables: dict[str, Any] = {"epochs": epoch_rows(report), **report.tables}
        if end is None:
            if report.births or report.paused:
                self.queue.note(report.trial, running.noted())
            self.record.append_all(tables)
            self._tell_epoch(report.trial, report.epoch, metrics)
            if population := self.queue.population_of(report.trial):
                population.advanced(report.trial, report.epoch, report.metrics)
                if report.paused:
                    self._pause(running, report.epoch, population)
                    return Verdict(goes_on=False, advanced=advanced)
        else:  # if it could not even report, what is known of it is its last epoch
            last = running.latest
            running.latest = {**last, **summarize(report.kept)}
            self._finish(row_of(self.spec, running, *end, report.epoch), tables, last)
        return Verdict(goes_on=end is None, advanced=advanced)

    def _pause(self, running: RunningTrial, epoch: int, population: Population) -> None:
        """A member has come to a ready epoch, its state is on disk: its worker is free for another."""
        trial, running.since = running.task.trial, None
        self._paused[trial] = self._running.pop(trial)
        population.paused(trial, epoch)
        checkpoint_file(self.folder, trial).unlink(missing_ok=True)
        self.queue.tidy_states(self.folder)

    def placed(self, trial: int) -> None:
        """A trial has got a worker: from now on it is expected to report."""
        if trial in self._running:
            self._running[trial].since = time.monotonic()

    def displaced(self, trial: int) -> None:
        """A trial has lost its worker and waits for another: nobody expects a report of it meanwhile."""
        if trial in self._running:
            self._running[trial].since = None

    def lost(self, trial: int, reason: str) -> None:
        """A trial's worker is gone for good."""
        if trial in self._running:
            self._end(trial, "failed", reason)

    def time_out(self) -> list[int]:
        """End the trials that are beyond their time limit and do not report; returns their numbers."""
        late = {trial: self._stopping.overdue(running) for trial, running in self._running.items()}
        for trial, reason in late.items():
            if reason is not None:
                self._end(trial, "timed_out", reason)
        return [trial for trial, reason in late.items() if reason is not None]

    def retell(self, trials: Collection[int], listener: Listener) -> None:
        """Tell a listener everything about finished `trials` that it has missed."""
        epochs = by_trial(self.record.rows("epochs"), trials)
        neurons = by_trial(self.record.rows("neurons"), trials)
        for row in self.record.rows("trials").to_pylist():
            trial = row["trial"]
            if trial in trials:
                listener.trial_started(trial, self._params_of(row))
                for epoch, metrics in by_epoch(epochs[trial]):
                    listener.epoch(trial, epoch, metrics)
                listener.trial_finished(finished_trial(row, self.spec.metrics, neurons[trial]))

    def close(self) -> None:
        """Flush the record."""
        try:
            self.queue.close()
        finally:
            self.record.close()
        with suppress(OSError):
            self._tidy()

    def _tidy(self) -> None:
        """Remove what kills have left: files half written, checkpoints of finished trials, idle networks."""
        remove_temporaries(self.folder)
        finished = {checkpoint_file(self.folder, trial).name for trial in self.record.finished_trials()}
        for path in list_folder(checkpoint_file(self.folder, 0).parent):
            if path.name in finished:
                path.unlink(missing_ok=True)
        self.queue.tidy_states(self.folder)
        self._retention.trim()

    def _end_unplanned(self) -> None:
        """Trials that ran when the plan was removed can't be taken up: nobody knows what they were."""
        if plan_file(self.folder).exists():
            return
        ran = set(self.record.rows("epochs", ["trial"])["trial"].to_pylist())
        for trial in sorted(ran - self.record.finished_trials().keys()):
            reason = f"lost: {plan_file(self.folder).name}, which said what it was, has been removed"
            row = row_of_none(self.spec, PlannedTrial(Suggestion(trial, {})), reason)
            self.record.append("trials", [row])

    def _start(self, begun: PlannedTrial, task: Task) -> Task:
        if population := self.queue.population_of(task.trial):
            since, until = population.start(task.trial)
            task = replace(task, since=since, until=until)
        running = self._paused.pop(task.trial, None)
        if running is None:
            self._tell_started(task)
            running = self._recalled(begun, task)
        running.task, self._running[task.trial] = task, running
        return task

    def _recalled(self, begun: PlannedTrial, task: Task) -> RunningTrial:
        """A trial with all that is known of it; listeners may have missed some of its epochs."""
        running = RunningTrial(begun, task, note_environment(self.folder))
        running.recall(self.queue.noted(task.trial))
        if self.record.last_epoch(task.trial) is not None:
            rows = self.record.rows("epochs").filter(pc.field("trial") == task.trial)
            for epoch, metrics in by_epoch(rows):
                running.note(metrics)
                self._tell_epoch(task.trial, epoch, metrics)
        return running

    def _end_replaced(self) -> None:
        """End the members whose places children have taken, whatever was recorded of them."""
        for trial, child in self.queue.replaced():
            begun = self.queue.planned(trial)
            paused, task = self._paused.pop(trial, None), make_task(self.spec, self.folder, begun)
            self._running[trial] = paused or self._recalled(begun, task)
            self._end(trial, "pruned", replaced_reason(child))

    def _charge(self, running: RunningTrial, report: Report, metrics: Metrics) -> None:
        """Count what the report has cost."""
        running.charge(report)
        seconds = metrics["seconds"][0] if "seconds" in metrics else 0.0
        self.queue.budget.spend(report.cpu_seconds, seconds * self.spec.resources.gpus)

    def _end(self, trial: int, state: str, reason: str) -> None:
        """End a running trial that does not report any more."""
        epoch = self.record.last_epoch(trial) or 0
        self._finish(row_of(self.spec, self._running[trial], state, reason, epoch), {})

    def _finish_duplicate(self, task: Task, original: int) -> None:
        """Record a suggestion that was tried before: that trial's values, at no cost."""
        row = self.record.rows("trials").filter(pc.field("trial") == original).to_pylist()[0]
        repeats = {"reason": duplicate_reason(original), "duplicate_of": original}
        cost = {"seconds": 0.0, "cpu_seconds": 0.0, "gpu_seconds": 0.0}
        self._tell_started(task)
        self._finish(row | cost | repeats | {"trial": task.trial}, {})

    def _finish(self, row: dict[str, Any], tables: Mapping[str, Any], last: Metrics | None = None) -> None:
        """The trial is over: record it with its `last` epoch, and only then tell the others."""
        self.record.append_all({**tables, "trials": [row]})
        self._running.pop(row["trial"], None)
        finished = finished_trial(row, self.spec.metrics, tables.get("neurons"))
        self.queue.finished(finished)
        if last:
            self._tell_epoch(row["trial"], row["epochs"], last)
        for listener in self.listeners:
            listener.trial_finished(finished)
            if self.queue.all_begun:
                listener.worker_idle(self.running)
        checkpoint_file(self.folder, row["trial"]).unlink(missing_ok=True)
        self.queue.tidy_states(self.folder)
        self._retention.finished()

    def _tell_started(self, task: Task) -> None:
        for listener in self.listeners:
            listener.trial_started(task.trial, params_of(task))

    def _tell_epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        for listener in self.listeners:
            listener.epoch(trial, epoch, metrics)

    def _params_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """All that a recorded trial was given; what was searched, if it could not be run."""
        begun = planned_trial(row, self.spec.space)
        try:
            return params_of(make_task(self.spec, self.folder, begun, self.queue.lineage(begun)))
        except ValueError:
            return dict(begun.suggestion.values)
