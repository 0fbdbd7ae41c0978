"""How a sweep stands: how far it is, the best it has found, and what has ended it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.config.sections import BudgetSpec
from service.errors import SweepError, UserError
from service.record.budget import Budget
from service.record.elites import awaiting
from service.record.leaders import Extreme, Row, extremes
from service.results.left import trials_left
from service.results.sweep import Sweep
from service.storage.lock import is_running
from service.storage.paths import StoragePath, stored_files


@dataclass(frozen=True)
class SweepStatus:
    """How a sweep stands."""

    name: str
    state: str
    """running; finished: all trials that were asked for, or that a budget allows; unfinished; damaged."""
    states: Mapping[str, int]
    """Finished trials by state."""
    planned: int | None
    """Trials that are asked for; None of a population that evolves, and if the record can't be read."""
    best: dict[str, Extreme]
    """The best of each objective, within the constraints, and its trial; none without complete trials."""
    age: float
    """Time since it last changed (s)."""
    fault: str | None = None
    """Why its record can't be read."""
    exhausted_budget: str | None = None
    """The budget that has ended it, in words."""

    def plain(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        best = {metric: one._asdict() for metric, one in self.best.items()}
        return {**vars(self), "states": dict(self.states), "best": best}


def status_of(sweep: Sweep) -> SweepStatus:
    """How a sweep stands, also one whose record can't be read."""
    age = max(0.0, time.time() - _changed(sweep.folder))
    try:
        spec = sweep.spec
        rows = sweep.deciding_rows() if sweep.started else []
        best = extremes(rows, spec.objectives, spec.constraints)
        stopped = None
        if is_running(sweep.folder):
            state = "running"
        elif trials_left(spec, rows) == (0, 0) and not (spec.open_ended and _cut_short(sweep, rows)):
            state = "finished"
        else:
            stopped = _exhausted_budget(sweep, rows)
            state = "finished" if stopped else "unfinished"
    except (SweepError, UserError) as error:
        return SweepStatus(sweep.name, "damaged", {}, None, {}, age, str(error))
    states = Counter(row["state"] for row in rows)
    planned = None if spec.open_ended else spec.planned  # how many children there will be, nobody knows
    return SweepStatus(sweep.name, state, states, planned, best, age, exhausted_budget=stopped)


def _changed(folder: StoragePath) -> float:
    """When something was last recorded, in seconds since 1970."""
    recorded = (folder / "sweep.yaml", folder / "log.jsonl", folder / "tables")
    return max((one.changed for path in recorded for one in stored_files(path)), default=0.0)


def _cut_short(sweep: Sweep, rows: Sequence[Row]) -> set[int]:
    """The trials that were begun and are not finished."""
    return {begun.trial for begun in sweep.plan.begun} - {row["trial"] for row in rows}


def _exhausted_budget(sweep: Sweep, rows: Sequence[Row]) -> str | None:
    """Which budget, other than the number of trials, has ended a sweep that does not run, in words.

    None if none has, or if there are trials that were cut short, or leaders that may still have more seeds: a
    plateau ends the search for configurations alone.

    Raises:
        SweepError: if its record is damaged.
    """
    spec = sweep.spec
    if spec.budget == BudgetSpec() or not sweep.started:
        return None
    if _cut_short(sweep, rows):
        return None
    budget = Budget(spec.budget, sweep.folder, spec.objectives, spec.constraints, sweep.plan.elapsed)
    for row in rows:
        budget.replay(row)
    if used_up := budget.used_up():
        return used_up
    return None if awaiting(spec, rows) else budget.plateau()
