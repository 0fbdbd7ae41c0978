"""The median rule, Golovin et al. 2017, doi:10.1145/3097983.3098043."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass

from search.objectives import Objective, costs

TRIALS = 5
"""Trials that must have reached an epoch before one is stopped there."""


@dataclass
class _Course:
    total: float = 0.0
    epochs: int = 0
    best: float = float("inf")


class Median:
    """A trial stops if its best value so far is worse than the median of the others' running means.

    The others are those that have reached the same epoch by then, whatever became of them.
    """

    def __init__(self, objective: Objective, *, grace: int = 1, max_epochs: int) -> None:
        if grace < 1:
            raise ValueError(f"`grace`: got {grace}, expected at least 1 epoch")
        self._objective, self._grace, self._max_epochs = objective, grace, max_epochs
        self._courses: dict[int, _Course] = {}
        self._means: dict[int, list[float]] = {}  # by epoch, sorted

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """See `StoppingRule`."""
        (cost,) = costs([self._objective], metrics)
        course = self._courses.setdefault(trial, _Course())
        course.total += cost
        course.epochs += 1
        course.best = min(course.best, cost)
        others = self._means.setdefault(epoch, [])
        n = len(others)
        median = (others[(n - 1) // 2] + others[n // 2]) / 2 if n else 0.0
        insort(others, course.total / course.epochs)
        if not self._grace <= epoch < self._max_epochs or n < TRIALS or course.best <= median:
            return None
        metric, sign = self._objective.metric, -1.0 if self._objective.goal == "max" else 1.0
        said = f"median: the best {metric} by epoch {epoch}, {sign * course.best:.4g}"
        return f"{said}, is worse than the median of {n} trials, {sign * median:.4g}"
