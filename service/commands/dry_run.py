"""`polychrony run --dry-run`: what a sweep is and what it would take. Nothing is written."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from search import Search, Suggestion
from service.commands.run import prepare
from service.config.load import read_sweep
from service.config.sweep import SweepSpec
from service.config.yaml_text import write
from service.errors import UserError
from service.record.elites import archive_options
from service.record.plan import Plan, PlannedTrial, WarmStartTrial
from service.record.schema import column_of
from service.results.left import Left, trials_left
from service.results.sweep import Sweep
from service.storage.layout import plan_file, sweep_file
from service.storage.paths import StoragePath, stored_files
from service.text import duration

if TYPE_CHECKING:
    from service.commands.estimate import SweepCost, TrialCost

SUGGESTIONS = 3
"""How many suggestions are measured at most."""
MEASURING_SECONDS = 30.0
"""No other suggestion is measured after those before have taken so long (s)."""
WIDTH = 100
HOUR, MEGABYTE, GIGABYTE = 3600.0, 1e6, 1e9


@dataclass(frozen=True)
class Done:
    """How far the sweep has come before."""

    rows: list[dict[str, Any]]
    """Rows of `trials` that there are."""
    hours: float
    sources: list[WarmStartTrial]
    """The trials that it started from."""
    bytes: int
    """In its folder."""


@dataclass(frozen=True)
class Measured:
    """A suggestion of the sampler, with what its trial takes or why it fails."""

    values: Mapping[str, Any]
    cost: "TrialCost | None" = None
    fault: str | None = None


def dry_run(file: Path, runs: StoragePath, overrides: Sequence[str], console: Console) -> None:
    """Show the sweep of `file`, measure its first suggestions, and say what it would take in `runs`.

    Raises:
        UserError: as `run` does.
        SweepError: as `run` does.
    """
    spec, document = read_sweep(file, overrides)
    folder = runs.absolute() / spec.name
    sources = prepare(spec, document, folder)
    at_once = spec.resources.at_once(_cores())
    done = _done(folder, sources)
    search = Search(
        spec.space,
        spec.objectives,
        options=spec.search.suggesting,
        constraints=spec.constraints,
        fixed=spec.fixed,
    )
    left = trials_left(spec, done.rows)
    console.print(_resolved(spec, min(WIDTH, console.width)), highlight=False, markup=False, soft_wrap=True)
    console.print(_left_text(spec, done, left), highlight=False, soft_wrap=True)
    if left == (0, 0):
        return
    with console.status("measuring") if console.is_terminal else nullcontext():
        search.warm_start({one.name: (one.values, one.metrics) for one in done.sources})
        measured = _measure(spec, search, folder)
    _show_trials(spec, measured, console)
    costs = [one.cost for one in measured if one.cost is not None]
    if costs:
        _show_sweep(spec, costs, left, at_once, done, console)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _done(folder: StoragePath, sources: list[WarmStartTrial]) -> Done:
    """What is on disk of the sweep; if it has never run, `sources` are what it will start from."""
    if not sweep_file(folder).exists():
        return Done([], 0.0, sources, 0)
    plan = Plan(plan_file(folder), writable=False)
    try:
        rows = Sweep(folder).arrow("trials").to_pylist()
    except UserError:  # it was stopped before its tables were there
        rows = []
    stored = sum(one.size for one in stored_files(folder))
    return Done(rows, plan.elapsed / HOUR, plan.sources or [], stored)


def _left_text(spec: SweepSpec, done: Done, left: Left) -> str:
    """What is left of a sweep, in words."""
    planned = spec.planned
    text = f"{spec.name}: {planned} trials"
    if spec.search.evolution:
        most = " at most" if spec.open_ended else ""
        text = f"{spec.name}: {spec.search.evolution.population} founders, {planned} trials{most}"
    elif planned < spec.search.trials:
        text += ", which are all combinations"
    if spec.replicates:
        text += f"; then the best {spec.replicates.trials} again, of {spec.replicates.leaders} replicates"
        text += ", each from its founder on" if spec.search.evolution else ""
    if (archive := archive_options(spec)) and archive.remeasure:
        text += f"; then each elite again, of {archive.remeasure} replicates"
    if done.rows:
        text += f". It would be taken up: {len(done.rows)} are finished"
    if left == (0, 0):
        text = f"{spec.name} is finished: {len(done.rows)} trials. Nothing would be run"
    return f"{text}."


def _resolved(spec: SweepSpec, width: int) -> str:
    """The sweep with all defaults filled in, less what is not set; a paragraph for each section."""
    paragraphs = []
    for key, value in spec.resolved().items():
        kept = {k: v for k, v in value.items() if v not in (None, [])} if isinstance(value, dict) else value
        if not kept:
            continue
        text = write({key: kept}).rstrip()
        if isinstance(kept, dict) and key != "space":
            head, *inside = text.splitlines()
            text = f"{head} {{{', '.join(line.strip() for line in inside)}}}"
            text = fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        paragraphs.append(text)
    return "\n".join(paragraphs)


def _measure(spec: SweepSpec, search: Search, folder: StoragePath) -> list[Measured]:
    """What the trials of the sampler's first suggestions take; those that are the same but once."""
    measured: list[Measured] = []
    began = time.monotonic()
    for number in range(SUGGESTIONS):
        if search.exhausted or (measured and time.monotonic() > began + MEASURING_SECONDS):
            break
        suggestion = search.ask(number)
        if all(suggestion.values != one.values for one in measured):
            measured.append(_measured(spec, suggestion, folder))
    return measured


def _measured(spec: SweepSpec, suggestion: Suggestion, folder: StoragePath) -> Measured:
    from model.datasets import load_splits
    from service.commands.estimate import compile_kernels, measure_trial
    from service.control.tasks import make_task

    try:
        task = make_task(spec, folder, PlannedTrial(suggestion))
        splits = load_splits(task.data)
        if suggestion.trial == 0:
            compile_kernels(task, splits)
        return Measured(suggestion.values, measure_trial(task, splits))
    except Exception as error:  # whatever makes a trial fail; `run` records it, too
        return Measured(suggestion.values, fault=f"{type(error).__name__}: {error}".partition("\n")[0])


def _show_trials(spec: SweepSpec, measured: Sequence[Measured], console: Console) -> None:
    first = f"the sampler's first {len(measured)} suggestions"
    title = f"Measured by a few batches of {first} (s; stored: MB)"
    # A table's own title would be broken at its width.
    console.print(title, style="italic", highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 1))
    searched = [field.path for field in spec.space.fields]
    for name in [*map(column_of, searched), "batch", "epoch", "trial", "stored"]:
        table.add_column(name, justify="right", overflow="fold")
    for one in measured:
        numbers: list[object] = ["fails"]
        if (cost := one.cost) is not None:
            stored = (cost.table_bytes + cost.network_bytes) / MEGABYTE
            numbers = [cost.batch, cost.epoch, cost.seconds, stored]
        table.add_row(*(_short(value) for value in [*(one.values.get(path) for path in searched), *numbers]))
    console.print(table)
    for one in measured:
        if one.fault is not None:
            console.print(f"Such a trial fails: {one.fault}", highlight=False, soft_wrap=True)


def _show_sweep(
    spec: SweepSpec,
    costs: Sequence["TrialCost"],
    left: Left,
    at_once: int,
    done: Done,
    console: Console,
) -> None:
    from service.commands.estimate import sweep_cost

    trials = _founders_worth(spec, left.suggestions)
    if spec.replicates is not None:  # replicates are trained side by side, and each takes its time
        trials += left.leaders * spec.replicates.leaders / spec.learner.replicates
    spare = _cores() > at_once * spec.resources.cpus
    cost = sweep_cost(costs, trials, at_once, spare, spec.record.networks)
    seconds = [one.seconds for one in costs]
    mean = sum(seconds) / len(seconds)
    may_end = spec.may_stop or spec.learner.patience is not None
    early = "trials that are ended early, and " if may_end else ""
    if (archive := archive_options(spec)) and archive.remeasure:
        early += "how many elites are measured again, and "
    what = "what is left" if done.rows else "the sweep"
    lines = {
        "a trial": f"{_time(mean)} ({_time(min(seconds))} to {_time(max(seconds))})",
        what: f"about {_time(cost.seconds)}, {at_once} trials at once",
        "processor": f"about {cost.cpu_hours:.2g} CPU hours",
        "disk": f"about {_size(cost.folder_bytes + cost.mlflow_bytes)}: tables {_size(cost.table_bytes)}, "
        f"networks {_size(cost.network_bytes)}, pictures {_size(cost.picture_bytes)}, "
        f"MLflow {_size(cost.mlflow_bytes)}",
        "ended by": _ended_by(spec, cost, done),
        "not foreseen": early + "how training changes the number of spikes",
    }
    table = Table(show_header=False, box=None, padding=(0, 1))
    for name, text in lines.items():
        table.add_row(name, text)
    console.print(table)


def _founders_worth(spec: SweepSpec, suggestions: int) -> float:
    """How many trials of a founder's epochs take as long: a child goes on for fewer, where it inherits."""
    evolution = spec.search.evolution
    if evolution is None or not (evolution.breeds and evolution.inherits):
        return float(suggestions)
    children = min(suggestions, spec.search.trials - evolution.population)
    return suggestions - children + children * evolution.ready / spec.learner.epochs


def _ended_by(spec: SweepSpec, cost: "SweepCost", done: Done) -> str:
    """Which budget is used up first, if it is before all trials are run."""
    spent = {
        "hours": (done.hours, cost.seconds / HOUR),
        "cpu_hours": (sum(row["cpu_seconds"] or 0.0 for row in done.rows) / HOUR, cost.cpu_hours),
        "gigabytes": (done.bytes / GIGABYTE, cost.folder_bytes / GIGABYTE),
    }
    shares = {
        name: (limit - before) / more
        for name, (before, more) in spent.items()
        if (limit := getattr(spec.budget, name)) is not None
    }
    said = "its number of trials"
    if shares and min(shares.values()) < 1:
        name = min(shares, key=lambda one: shares[one])
        said = f"`budget.{name}`, after about {max(0.0, shares[name]):.0%} of that"
    if (plateau := spec.budget.plateau) is not None:
        said += f", or by a plateau of {plateau.trials} trials"
    return said


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)


def _size(count: float) -> str:
    for unit, name in ((GIGABYTE, "GB"), (MEGABYTE, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.0f} kB"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
