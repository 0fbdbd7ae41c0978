"""The leading trials of a sweep, and which of them should have more seeds."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from math import isfinite
from typing import Any

from search import Constraint, Objective
from search.objectives import costs, metrics_needed, total_violation
from search.ranking import Result, fronts
from service.record.plan import MORE_SEEDS

SHOWN = 20
"""The best trials by the first objective that MLflow shows in more detail, beside the Pareto front."""

Row = Mapping[str, Any]


def counted_trials(rows: Iterable[Row]) -> list[Row]:
    """Complete trials, duplicates left out; one that was run again with more seeds stands for its parent."""
    complete = [row for row in rows if row["state"] == "complete"]
    again = {row["parent"] for row in complete if row["move"] == MORE_SEEDS}
    return [row for row in complete if row["trial"] not in again and row["reason"] is None]


def leaders(
    rows: Iterable[Row], objectives: Sequence[Objective], constraints: Sequence[Constraint], count: int
) -> list[Row]:
    """The `count` best trials, by rank and then by the room around them, with the same trial never twice."""
    names = metrics_needed(objectives, constraints)
    known = [row for row in counted_trials(rows) if all(_known(row[name]) for name in names)]
    results = [Result(total_violation(constraints, row), costs(objectives, row)) for row in known]
    return [known[n] for n in islice(chain.from_iterable(fronts(results)), count)]


def _known(value: float | None) -> bool:
    return value is not None and isfinite(value)
