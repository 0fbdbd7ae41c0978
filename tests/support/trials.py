"""Trials that train nothing: reports made up, and sweeps that are run through by them."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from service.config.sweep import SweepSpec
from service.control.controller import SweepController
from service.record.rows import FinishedTrial, Metrics
from service.worker.task import Origin, Report, Task

MakeSpec = Callable[..., SweepSpec]
"""The fixture `small_spec`: a small sweep with changes by path."""
ORIGIN = Origin("here", "Z80", "d1", 7, 99)


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.epochs: list[tuple[int, int, Metrics]] = []
        self.finished: list[Mapping[str, Any]] = []
        self.idle: list[tuple[int, int]] = []
        """How many trials had finished, and how many ran, each time."""

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        self.started.append(trial)

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        self.epochs.append((trial, epoch, metrics))

    def trial_finished(self, finished: FinishedTrial) -> None:
        self.finished.append(finished.row)

    def worker_idle(self, running: int) -> None:
        self.idle.append((len(self.finished), running))


def report(
    task: Task,
    epoch: int,
    accuracy: float = 0.5,
    *,
    spread: float = 0.1,
    silent: float = 0.0,
    seconds: float = 1.5,
    metrics: Mapping[str, float] | None = None,
    **fields: Any,
) -> Report:
    """What a trial would say after an epoch, the last one of its learner being its end.

    Args:
        task: of the trial.
        epoch: that it has finished.
        accuracy: mean over replicates.
        spread: by how much the first replicate is below it, and the last above.
        silent: share of neurons.
        seconds: that the epoch has taken.
        metrics: more of them, the same for all replicates.
        fields: others of the report.
    """
    n = task.learner.replicates
    off = [0.0] if n == 1 else [-spread, *[0.0] * (n - 2), spread]
    values = {
        "accuracy": [accuracy + one for one in off],
        "loss": [1 - accuracy] * n,
        "wiring_length": [10.0, *[10.0 + task.trial] * (n - 1)],
        "silent": [silent] * n,
        "seconds": [seconds] * n,
    } | {name: [value] * n for name, value in (metrics or {}).items()}
    given: dict[str, Any] = {
        "done": epoch == task.learner.epochs,
        "origin": ORIGIN,
        "cpu_seconds": 0.5,
    } | fields
    return Report(task.trial, epoch, values, **given)


def run_through(controller: SweepController, task: Task, accuracy: float = 0.5, **fields: Any) -> None:
    """Report all epochs of a trial, as far as it goes on."""
    for epoch in range(1, task.learner.epochs + 1):
        if not controller.take(report(task, epoch, accuracy, **fields)).goes_on:
            return


def run_all(
    controller: SweepController, accuracy: Callable[[Task], float] = lambda task: 0.5, **fields: Any
) -> list[Task]:
    """Run a sweep to its end, a trial at a time; returns the tasks."""
    tasks = []
    while task := controller.next_task():
        tasks.append(task)
        run_through(controller, task, accuracy(task), **fields)
    return tasks


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table of the sweep in `folder`, as a user would read it."""
    return pd.read_parquet(folder / "tables" / name)


def same(first: object, second: object) -> bool:
    """Whether two values of a row are equal, NaN to NaN."""
    nans = [isinstance(one, float) and math.isnan(one) for one in (first, second)]
    return all(nans) or first == second


def last_report(task: Task, accuracy: float, spread: float = 0.0, **fields: Any) -> Report:
    """The last report of a trial; its replicates differ by `spread` from one to the next."""
    n = task.learner.replicates
    metrics = {
        "accuracy": [accuracy - spread * r for r in range(n)],
        "wiring_length": [10.0] * n,
        "seconds": [3.0] * n,
    }
    return Report(task.trial, task.learner.epochs, metrics, done=True, cpu_seconds=1800.0, **fields)


def run_shortly(
    controller: SweepController, accuracy: Callable[[Task], float], spread: float = 0.0
) -> list[Task]:
    """Run the sweep to its end, a trial at a time."""
    tasks = []
    while (task := controller.next_task()) is not None:
        controller.take(last_report(task, accuracy(task), spread))
        tasks.append(task)
    return tasks


def trials_of(folder: Path) -> pd.DataFrame:
    """The table `trials` of the sweep in `folder`, by number."""
    return pd.read_parquet(folder / "tables" / "trials").sort_values("trial")
