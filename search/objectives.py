"""What a search is after: objectives, constraints and the Pareto front."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Goal = Literal["min", "max"]


@dataclass(frozen=True)
class Objective:
    """A metric to be made as small (`min`) or as large (`max`) as can be."""

    metric: str
    goal: Goal

    def __post_init__(self) -> None:
        _check_goals([self.goal])


@dataclass(frozen=True)
class Constraint:
    """A range that a metric should stay in; the ends are allowed, None leaves a side open."""

    metric: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if not bounds:
            raise ValueError(f"constraint on `{self.metric}`: got no bound, give `min`, `max` or both")
        if not all(math.isfinite(bound) for bound in bounds):
            raise ValueError(f"constraint on `{self.metric}`: got {bounds}, expected finite bounds")
        if bounds != sorted(bounds):
            raise ValueError(
                f"constraint on `{self.metric}`: `min` is {self.min:g} and `max` {self.max:g}, "
                "expected `min` to be at most `max`"
            )

    def violation(self, value: float) -> float:
        """By how much `value` is out of range, in units of the metric; 0 or less if it is in range.

        >>> round(Constraint("silent", max=0.25).violation(0.5), 3)
        0.25
        """
        below = -math.inf if self.min is None else self.min - value
        above = -math.inf if self.max is None else value - self.max
        return max(below, above)


def metrics_needed(objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> set[str]:
    """The metrics that decide about a trial."""
    return {one.metric for one in objectives} | {one.metric for one in constraints}


def costs(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> tuple[float, ...]:
    """The objectives as costs, all to be made small.

    >>> costs([Objective("accuracy", "max"), Objective("rate", "min")], {"accuracy": 0.5, "rate": 3.0})
    (-0.5, 3.0)
    """
    return tuple(metrics[one.metric] * (-1.0 if one.goal == "max" else 1.0) for one in objectives)


def total_violation(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> float:
    """By how much the metrics are out of their ranges, summed over the constraints; 0 if all hold."""
    return sum(max(0.0, one.violation(metrics[one.metric])) for one in constraints)


def hypervolume(points: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """The volume that points dominate, up to a reference point (Zitzler & Thiele 1999).

    Args:
        points: [n, k] costs, to be made small; those beyond the reference count for nothing.
        reference: [k].

    >>> hypervolume([[1, 3], [2, 1], [5, 0]], [4, 4])
    7.0
    """
    import moocore  # loaded here: reading a sweep does not need it

    table, corner = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    inside = table[(table < corner).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=corner)) if len(inside) else 0.0


def pareto_front(values: npt.ArrayLike, goals: Sequence[str]) -> npt.NDArray[np.intp]:
    """The rows that no other row dominates, as ascending indices.

    A row dominates another if it is at least as good in every column and better in one. So equal rows of
    the front all belong to it, and with one column the front is the best rows. A row with a NaN never
    belongs to it, and dominates nothing.

    Args:
        values: [n, k], a row per trial and a column per objective.
        goals: [k], each `min` or `max`.

    Raises:
        ValueError: if the shape of `values` does not fit `goals`.

    >>> pareto_front([[1, 5], [2, 2], [3, 3], [2, 2]], ["min", "min"])
    array([0, 1, 3])
    """
    _check_goals(goals)
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(goals):
        raise ValueError(f"`values`: got shape {table.shape}, expected (n, {len(goals)}), one column a goal")
    known = np.flatnonzero(~np.isnan(table).any(axis=1))
    costs = table[known] * np.where(np.array(goals) == "max", -1.0, 1.0)
    distinct, which = np.unique(costs, axis=0, return_inverse=True)
    return known[_front_of_sorted(distinct)[which.reshape(-1)]]


def _front_of_sorted(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which of the distinct, lexicographically sorted rows [n, k] are not dominated: [n]."""
    n, k = costs.shape
    on_front = np.zeros(n, dtype=bool)
    if n == 0:
        return on_front
    if k <= 2:  # Kung, Luccio & Preparata 1975: the last column must beat all rows before.
        last = costs[:, -1]
        on_front[0] = True
        on_front[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
        return on_front
    for i in range(n):  # only rows before i can dominate it, and of these only those on the front count
        on_front[i] = not (costs[:i][on_front[:i]] <= costs[i]).all(axis=1).any()
    return on_front


def _check_goals(goals: Sequence[str]) -> None:
    wrong = [goal for goal in goals if goal not in get_args(Goal)]
    if wrong or not goals:
        raise ValueError(f"`goal`: got {', '.join(map(repr, wrong)) or 'none'}, expected min or max")
