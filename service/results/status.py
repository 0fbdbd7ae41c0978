"""How a sweep stands: how far it is, the best it has found, and what has ended it."""

import math
import time
from dataclasses import dataclass
from math import isfinite

from search.objectives import metrics_needed
from service.config.sections import BudgetSpec
from service.errors import SweepError, UserError
from service.record.budget import Budget
from service.results.sweep import Sweep
from service.storage.lock import is_running
from service.storage.paths import StoragePath, stored_files


@dataclass(frozen=True)
class SweepStatus:
    """How a sweep stands."""

    name: str
    state: str
    """running; finished: all trials that were asked for, or that a budget allows; unfinished; damaged."""
    states: dict[str, int]
    """Finished trials by state."""
    planned: int | None
    best: dict[str, float]
    """The best value of each objective, within the constraints; none without complete trials."""
    age: float
    """Time since it last changed (s)."""
    fault: str | None = None
    """Why its record can't be read."""
    exhausted_budget: str | None = None
    """The budget that has ended it, in words."""


def status_of(sweep: Sweep) -> SweepStatus:
    """How a sweep stands, also one whose record can't be read."""
    age = max(0.0, time.time() - _changed(sweep.folder))
    stopped = None
    try:
        states = _states(sweep)
        planned = sweep.spec.planned
        state = "finished" if sum(states.values()) >= planned else "unfinished"
        best = _best(sweep) if states else {}
        if is_running(sweep.folder):
            state = "running"
        elif state == "unfinished" and (stopped := exhausted_budget(sweep)):
            state = "finished"
    except (SweepError, UserError) as error:
        return SweepStatus(sweep.name, "damaged", {}, None, {}, age, str(error))
    return SweepStatus(sweep.name, state, states, planned, best, age, exhausted_budget=stopped)


def _states(sweep: Sweep) -> dict[str, int]:
    if not sweep.started:
        return {}
    counts = sweep.arrow("trials", columns=["state"])["state"].value_counts().to_pylist()
    return {one["values"]: one["counts"] for one in counts}


def _best(sweep: Sweep) -> dict[str, float]:
    front = sweep.front()
    found = {}
    for objective in sweep.objectives:
        values = front[objective.metric]
        best = float(values.max() if objective.goal == "max" else values.min())
        if not math.isnan(best):
            found[objective.metric] = best
    return found


def _changed(folder: StoragePath) -> float:
    """When something was last recorded, in seconds since 1970."""
    recorded = (folder / "sweep.yaml", folder / "log.jsonl", folder / "tables")
    return max((one.changed for path in recorded for one in stored_files(path)), default=0.0)


def exhausted_budget(sweep: Sweep) -> str | None:
    """Which budget, other than the number of trials, has ended a sweep that does not run, in words.

    None if none has, or if there are trials that were cut short.

    Raises:
        SweepError: if its record is damaged.
        UserError: if its tables do not fit what was asked.
    """
    limits = sweep.spec.budget
    if limits == BudgetSpec() or not sweep.started:
        return None
    plan = sweep.plan
    objectives, constraints = sweep.spec.objectives, sweep.spec.constraints
    needed = sorted(metrics_needed(objectives, constraints))
    rows = sweep.arrow(
        "trials", columns=["trial", "state", "parent", "cpu_seconds", "gpu_seconds", *needed]
    ).to_pylist()
    if {begun.trial for begun in plan.begun} - {row["trial"] for row in rows}:
        return None
    budget = Budget(limits, sweep.folder, objectives, constraints, plan.elapsed)
    for row in rows:
        budget.spend(row["cpu_seconds"] or 0.0, row["gpu_seconds"] or 0.0)
        metrics = {name: row[name] for name in needed}
        known = all(value is not None and isfinite(value) for value in metrics.values())
        if row["state"] == "complete" and row["parent"] is None and known:
            budget.complete(metrics)
    return budget.used_up() or budget.plateau()
