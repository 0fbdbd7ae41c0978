"""`polychrony train`: one configuration in this process, without Ray; or a recorded trial once more."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from service.commands.run import conduct
from service.config.load import read_sweep
from service.control.controller import SweepController
from service.control.tasks import make_task
from service.errors import Fault, SweepError, UserError
from service.execution.in_process import run_in_process
from service.record.lineage import Stage
from service.record.planned import planned_trial
from service.record.provenance import cpu_model
from service.record.rows import summarize
from service.results.sweep import Sweep
from service.storage.paths import StoragePath
from service.version import code_version
from service.worker.task import Report, Task
from service.worker.trial import Trial

SHOWN = ("train_loss", "train_accuracy", "loss", "accuracy", "rate", "silent")


def train(file: Path | None, runs: StoragePath, overrides: Sequence[str], console: Console) -> None:
    """Train the configuration of a sweep file that searches nothing; it is recorded as a sweep of one trial.

    Without a file all is taken from the overrides.

    Raises:
        UserError: if the file is faulty, or has a `space`.
        SweepError: if training could not go on.
    """
    spec, document = read_sweep(file, [*overrides, "search={trials: 1, sampler: random}"])
    if spec.space.fields:
        cure = "train runs one configuration; empty it by --set 'space={}' and set the fields under `learner`"
        raise UserError([Fault(str(file or "--set"), "space", cure)])

    def say(task: Task, report: Report) -> None:
        console.print(_line(report, task.learner.epochs), highlight=False)

    def execute(controller: SweepController) -> None:
        run_in_process(controller, say)

    conduct(spec, document, runs, console, execute, lines="none")


def train_again(name: str, runs: StoragePath, console: Console) -> bool:
    """Train the trial `NAME/TRIAL` of a sweep again as it is recorded; returns whether the results are equal.

    Of a child of a population its whole lineage is trained again, from the founder on.

    Raises:
        UserError: if there is no such trial.
        SweepError: if training fails.
    """
    sweep_name, _, number = name.rpartition("/")
    if not sweep_name or not number.isdecimal():
        raise UserError([Fault("--from", name, "expected NAME/TRIAL, such as quickstart/17")])
    sweep, trial = Sweep(runs / sweep_name), int(number)
    rows = sweep.arrow("trials", f"trial == {number}").to_pylist()
    if not rows:
        raise UserError([Fault("--from", name, f"there is no such trial in {sweep.folder}")])
    equal, digest = True, None
    with tempfile.TemporaryDirectory() as folder:
        for stage, lineage in _parts(sweep, rows[0]):
            may_fail = stage.begun.trial == trial and rows[0]["state"] == "failed"
            task = make_task(sweep.spec, Path(folder), stage.begun, lineage)
            task = task if stage.begun.trial == trial else replace(task, until=stage.last)
            for report, recorded in _repeated(sweep, stage, task):
                console.print(_line(report, stage.last), highlight=False, soft_wrap=True)
                if report.failure is not None and not may_fail:
                    raise SweepError(f"{name}: {report.failure}")
                now = report.metrics
                equal &= all(now[m] == recorded.get(m) for m in SHOWN if m in now)
                digest = report.origin.data_digest
    if not equal:
        _tell_origins(rows[0], digest, console)
    verdict = "the same, to the digit" if equal else "NOT the same as what is recorded"
    console.print(f"{name}: {verdict}", highlight=False)
    return equal


def _parts(sweep: Sweep, row: Mapping[str, Any]) -> list[tuple[Stage, list[Stage]]]:
    """The trials that are trained to repeat that of `row`, each with the lineage that it repeats itself."""
    lineage = sweep.stages(row["trial"])
    again = planned_trial(row, sweep.spec.space)
    if again.has_more_seeds:
        return [(Stage(again, 0, row["epochs"]), lineage)]
    return [(stage, []) for stage in lineage]


def _repeated(sweep: Sweep, stage: Stage, task: Task) -> Iterator[tuple[Report, Mapping[str, list[float]]]]:
    """What a trial of a lineage reports when it is trained again, beside what is recorded of that epoch.

    Its parent must have left its state in the task's folder.
    """
    number = stage.begun.trial
    recorded = sweep.table("epochs").query(f"trial == {number}").sort_values("replicate")
    by_epoch = {epoch: rows[list(SHOWN)].to_dict("list") for epoch, rows in recorded.groupby("epoch")}
    trial = Trial(task)
    reached = -1
    while reached < stage.last:
        report = trial.advance()
        reached = report.epoch if report.failure is None else stage.last
        yield report, {str(name): values for name, values in by_epoch.get(report.epoch, {}).items()}


def _tell_origins(row: Mapping[str, Any], digest: str | None, console: Console) -> None:
    """What is not as it was when the trial was recorded, and may be why the results differ."""
    now = {"code_version": code_version(), "cpu": cpu_model(), "data_digest": digest}
    for column, value in now.items():
        if row.get(column) not in (None, value):
            console.print(f"{column}: {row[column]} then, {value} now", highlight=False, soft_wrap=True)


def _line(report: Report, epochs: int) -> str:
    """One epoch, in a line."""
    if report.failure is not None:
        return f"epoch {report.epoch}/{epochs}: failed: {report.failure}"
    means = {name: mean for name, (mean, _) in summarize(report.metrics).items()}
    shown = [f"{name} {means[name]:.4g}" for name in (*SHOWN, "test_accuracy") if name in means]
    return f"epoch {report.epoch}/{epochs}: {', '.join(shown)} ({means['seconds']:.2g} s)"
