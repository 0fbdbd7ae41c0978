"""What runs next, and what became of each trial: the one place where that is decided.

The record decides. A trial is finished when its row is in `trials`; the study, MLflow and the display are
told after that, and on resume whatever they missed is told again. Knows nothing of Ray.
"""

import hashlib
import json
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from model.topology import MEASURES
from search import Search, Suggestion, make_rule
from search.study import journal_storage
from service.errors import SweepError
from service.files import checkpoint_file, study_file
from service.record import Record, make_schemas
from service.record.schema import searched_columns
from service.spec.sweep import SweepSpec, data_for, learner_for
from service.trial import Report, Task, seed_of
from service.version import code_version

Metrics = Mapping[str, tuple[float, float | None]]
"""Mean over replicates and its standard error (None for one replicate), by metric."""


class Listener(Protocol):
    """Somebody who is told what happens, after it was recorded."""

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """A trial runs, for the first time or again."""

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """A trial has finished an epoch."""

    def trial_finished(self, row: Mapping[str, Any], neurons: pa.Table | None) -> None:
        """A trial is over: its row in `trials`, and the rows of its last report in `neurons`."""


@dataclass
class _Running:
    suggestion: Suggestion
    task: Task
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    node: str = ""
    parameters: int | None = None
    latest: Metrics = field(default_factory=dict)


class Conductor:
    """Conducts one sweep, from its start or from where its record ends."""

    def __init__(self, spec: SweepSpec, folder: Path, listeners: Sequence[Listener] = ()) -> None:
        """Open record and study in `folder` and bring the study up to the record.

        Raises:
            SweepError: if a file of theirs is damaged or can't be written.
        """
        self.spec, self.folder, self.listeners = spec, folder, listeners
        self.record = Record.open(folder, make_schemas(searched_columns(spec.space), MEASURES))
        try:
            self._search = self._open_search()
        except (ValueError, KeyError, OSError) as error:
            self.record.close()
            raise SweepError(
                f"{study_file(folder)}: the study can't be read ({error}); restore the file from a copy"
            ) from error
        self._rule = make_rule(
            spec.stopping.rule,
            spec.objectives,
            grace=spec.stopping.grace,
            reduction=spec.stopping.reduction,
            max_epochs=_most_epochs(spec),
        )
        self._running: dict[int, _Running] = {}
        self._left = self._reconcile()

    def _open_search(self) -> Search:
        spec = self.spec
        return Search.open(
            journal_storage(study_file(self.folder)),
            spec.name,
            spec.space,
            spec.objectives,
            sampler=spec.search.sampler,
            seed=spec.search.seed,
            population=spec.search.population,
            constraints=spec.constraints,
            fixed=spec.fixed,
        )

    @property
    def finished(self) -> int:
        """Trials that are finished."""
        return len(self.record.finished_trials())

    def next_task(self) -> Task | None:
        """The next trial to run: first those that were cut short, then new ones; None if there is none."""
        while self._left or self._search.next_trial < self.spec.search.trials:
            suggestion = self._left.pop(0) if self._left else self._search.ask()
            if suggestion.duplicate_of is not None:
                self._finish_duplicate(suggestion, suggestion.duplicate_of)
                continue
            try:
                task = self._task(suggestion)
            except ValueError as error:  # its fields contradict each other
                self._finish(self._bare_row(suggestion, str(error)), {})
                continue
            return self._start(suggestion, task)
        return None

    def take(self, report: Report) -> bool:
        """Record a report; returns whether the trial goes on."""
        running = self._running.get(report.trial)
        if running is None:  # it was finished by a report that came before
            return False
        if report.halt is not None:
            raise SweepError(f"trial {report.trial} could not go on: {report.halt}")
        running.node, running.parameters = report.node, report.parameters
        running.cpu_seconds += report.cpu_seconds
        known = self.record.last_epoch(report.trial)
        if report.failure is None and known is not None and report.epoch <= known:
            # A trial taken up from a checkpoint goes through epochs that are recorded already.
            return True
        metrics: Metrics = summarize(report.metrics)
        known_metrics = running.latest
        running.latest = metrics or known_metrics
        running.seconds += metrics["seconds"][0] if "seconds" in metrics else 0.0
        state, reason = self._decide(report, metrics)
        if not metrics:  # it could not even report; what is known of it is its last epoch
            metrics = known_metrics
        tables: dict[str, Any] = {"epochs": _epoch_rows(report), **report.tables}
        if state is None:
            self.record.append_all(tables)
            self._tell_epoch(report.trial, report.epoch, metrics)
            return True
        self._finish(self._row(running, state, reason, report.epoch, metrics), tables, metrics)
        return False

    def lost(self, trial: int, reason: str) -> None:
        """A trial's worker is gone for good."""
        running = self._running.get(trial)
        if running is not None:
            epoch = self.record.last_epoch(trial) or 0
            self._finish(self._row(running, "failed", reason, epoch, running.latest), {})

    def retell(self, trials: Collection[int], listener: Listener) -> None:
        """Tell a listener everything about finished `trials` that it has missed."""
        for row in self.record.rows("trials").to_pylist():
            if row["trial"] not in trials:
                continue
            mine = pc.field("trial") == row["trial"]
            listener.trial_started(row["trial"], self._params_of(row))
            for epoch, metrics in _by_epoch(self.record.rows("epochs").filter(mine)):
                listener.epoch(row["trial"], epoch, metrics)
            listener.trial_finished(row, self.record.rows("neurons").filter(mine))

    def _params_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """All that a recorded trial was given; what was searched, if it could not be run."""
        values = {f.path: row[f.name] for f in self.spec.space.fields if row[f.name] is not None}
        try:
            return _params(self._task(Suggestion(row["trial"], values)))
        except ValueError:
            return values

    def close(self) -> None:
        """Flush the record."""
        self.record.close()

    def _reconcile(self) -> list[Suggestion]:
        """Tell the study what the record knows; returns the suggestions that are not finished."""
        rows = {row["trial"]: row for row in self.record.rows("trials").to_pylist()}
        epochs = self.record.rows("epochs", ["trial", "epoch", *{o.metric for o in self.spec.objectives}])
        self._replay(epochs)
        left = []
        for trial in rows:  # left over if a kill came between the record and its removal
            checkpoint_file(self.folder, trial).unlink(missing_ok=True)
        for suggestion in self._search.running():
            if suggestion.trial in rows:
                self._tell(rows[suggestion.trial])
            else:
                left.append(suggestion)
        return left

    def _replay(self, epochs: pa.Table) -> None:
        """Let the stopping rule see the reports of earlier sessions."""
        metric = self.spec.objectives[0].metric
        means = epochs.group_by(["trial", "epoch"], use_threads=False).aggregate([(metric, "mean")])
        for row in means.sort_by([("epoch", "ascending")]).to_pylist():
            if row[f"{metric}_mean"] is not None and isfinite(row[f"{metric}_mean"]):
                self._rule.report(row["trial"], row["epoch"], row[f"{metric}_mean"])

    def _start(self, suggestion: Suggestion, task: Task) -> Task:
        running = self._running[task.trial] = _Running(suggestion, task)
        self._tell_started(task)
        if (
            self.record.last_epoch(task.trial) is not None
        ):  # it was cut short; a listener may have missed some
            rows = self.record.rows("epochs").filter(pc.field("trial") == task.trial)
            for epoch, metrics in _by_epoch(rows):
                running.seconds += metrics["seconds"][0]
                self._tell_epoch(task.trial, epoch, metrics)
        return task

    def _task(self, suggestion: Suggestion) -> Task:
        spec = self.spec
        return Task(
            trial=suggestion.trial,
            learner=learner_for(spec, suggestion.values),
            data=data_for(spec, suggestion.values),
            seed=seed_of(spec.search.seed, suggestion.trial),
            folder=self.folder,
            threads=spec.resources.cpus,
            may_stop=spec.stopping.rule != "none",
            synapses=spec.record.synapses,
        )

    def _decide(self, report: Report, metrics: Metrics) -> tuple[str | None, str | None]:
        """The state that a report puts its trial in, with the reason; None if it goes on."""
        if report.failure is not None:
            return "failed", report.failure
        means = {name: mean for name, (mean, _) in metrics.items()}
        fault = self._search.fault(means)
        if fault is not None:
            return "failed", f"{fault} at epoch {report.epoch}"
        if report.done:
            return "complete", None
        reason = self._rule.report(report.trial, report.epoch, means[self.spec.objectives[0].metric])
        return (None, None) if reason is None else ("pruned", reason)

    def _bare_row(self, suggestion: Suggestion, reason: str) -> dict[str, Any]:
        """The row of a trial that can't be run at all."""
        row: dict[str, Any] = {f.name: suggestion.values.get(f.path) for f in self.spec.space.fields}
        known = {"sweep": self.spec.name, "code_version": code_version(), "seconds": 0.0, "cpu_seconds": 0.0}
        return row | known | {"trial": suggestion.trial, "state": "failed", "reason": reason, "epochs": 0}

    def _row(
        self, running: _Running, state: str, reason: str | None, epoch: int, metrics: Metrics
    ) -> dict[str, Any]:
        """The trial's row in `trials`."""
        task, spec = running.task, self.spec
        values = running.suggestion.values
        row: dict[str, Any] = {f.name: values.get(f.path) for f in spec.space.fields}
        for name, (mean, sem) in metrics.items():
            row |= {name: mean, f"{name}_sem": sem}
        config = {"learner": asdict(task.learner), "data": asdict(task.data)}
        return row | {
            "trial": task.trial,
            "state": state,
            "reason": reason,
            "replicates": task.learner.replicates,
            "epochs": epoch,
            "seconds": running.seconds,
            "seconds_sem": None,
            "sweep": spec.name,
            "seed": task.seed,
            "config_hash": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
            "code_version": code_version(),
            "node": running.node,
            "parameters": running.parameters,
            "cpu_seconds": running.cpu_seconds,
        }

    def _finish_duplicate(self, suggestion: Suggestion, original: int) -> None:
        """Record a suggestion that was tried before: that trial's values, at no cost."""
        rows = self.record.rows("trials")
        row = rows.filter(pc.field("trial") == original).to_pylist()[0]
        reason = f"duplicate of trial {original}"
        self._tell_started(self._task(suggestion))
        cost = {"seconds": 0.0, "cpu_seconds": 0.0}
        self._finish(row | cost | {"trial": suggestion.trial, "reason": reason}, {})

    def _finish(self, row: dict[str, Any], tables: Mapping[str, Any], last: Metrics | None = None) -> None:
        """The trial is over: record it with its `last` epoch, and only then tell the others."""
        self.record.append_all({**tables, "trials": [row]})
        self._running.pop(row["trial"], None)
        self._tell(row)
        if last:
            self._tell_epoch(row["trial"], row["epochs"], last)
        for listener in self.listeners:
            listener.trial_finished(row, tables.get("neurons"))
        checkpoint_file(self.folder, row["trial"]).unlink(missing_ok=True)

    def _tell(self, row: Mapping[str, Any]) -> None:
        """Tell the study what became of a trial."""
        metrics = {name: mean for name, (mean, _) in metrics_of(row).items()}
        if row["state"] == "complete":
            self._search.tell_complete(row["trial"], metrics)
        elif row["state"] == "pruned":
            self._search.tell_pruned(row["trial"], row["epochs"], metrics)
        else:
            self._search.tell_failed(row["trial"], row["reason"] or row["state"])

    def _tell_started(self, task: Task) -> None:
        for listener in self.listeners:
            listener.trial_started(task.trial, _params(task))

    def _tell_epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        for listener in self.listeners:
            listener.epoch(trial, epoch, metrics)


def _most_epochs(spec: SweepSpec) -> int:
    """The epochs of the longest trial."""
    searched = [f.domain.ends() for f in spec.space.fields if f.path == "learner.epochs"]
    return max([spec.learner.epochs, *(int(end) for ends in searched for end in ends if end is not None)])


def summarize(metrics: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float | None]]:
    """Mean and standard error over replicates.

    >>> summarize({"loss": [1.0, 3.0], "rate": [2.0]})
    {'loss': (2.0, 1.0), 'rate': (2.0, None)}
    """
    found: dict[str, tuple[float, float | None]] = {}
    for name, values in metrics.items():
        mean = sum(values) / len(values)
        sem = None
        if len(values) > 1:
            sem = statistics.stdev(values) / sqrt(len(values)) if isfinite(mean) else mean
        found[name] = (mean, sem)
    return found


def metrics_of(row: Mapping[str, Any]) -> dict[str, tuple[float, float | None]]:
    """The metrics in a row of `trials`."""
    return {
        name.removesuffix("_sem"): (row[name.removesuffix("_sem")], sem)
        for name, sem in row.items()
        if name.endswith("_sem") and row.get(name.removesuffix("_sem")) is not None
    }


def _params(task: Task) -> dict[str, Any]:
    """All that a trial is given."""
    data = {f"data.{name}": value for name, value in asdict(task.data).items()}
    return asdict(task.learner) | data | {"seed": task.seed}


def _by_epoch(rows: pa.Table) -> Iterator[tuple[int, Metrics]]:
    """The metrics of a trial's rows in `epochs`, epoch by epoch."""
    names = [name for name in rows.column_names if name not in ("trial", "replicate", "epoch")]
    for epoch in sorted(set(rows["epoch"].to_pylist())):
        now = rows.filter(pc.field("epoch") == epoch)
        values = {name: now[name].drop_null().to_pylist() for name in names}
        yield epoch, summarize({name: known for name, known in values.items() if known})


def _epoch_rows(report: Report) -> list[dict[str, Any]]:
    """Rows of `epochs`, one a replicate."""
    replicates = len(next(iter(report.metrics.values()), ()))
    return [
        {"trial": report.trial, "replicate": r, "epoch": report.epoch}
        | {name: values[r] for name, values in report.metrics.items()}
        for r in range(replicates)
    ]
