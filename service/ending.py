"""Which budget has ended a sweep, from what is recorded of it."""

from math import isfinite

from search.objectives import metrics_needed
from service.config.sections import BudgetSpec
from service.record.budget import Budget
from service.results.sweep import Sweep


def stopped_by(sweep: Sweep) -> str | None:
    """Which budget, other than the number of trials, has ended a sweep that does not run, in words.

    None if none has, or if there are trials that were cut short.

    Raises:
        SweepError: if its record is damaged.
        UserError: if its tables do not fit what was asked.
    """
    limits = sweep.budget
    if limits == BudgetSpec() or not sweep.started:
        return None
    plan = sweep.plan
    objectives, constraints = tuple(sweep.objectives), tuple(sweep.constraints)
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
