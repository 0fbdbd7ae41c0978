"""Early stopping: which trials are not worth their remaining epochs.

A rule holds no state of its own worth saving: told again all reports so far, in any order of trials, it
decides as before.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from search.objectives import Objective

RULES = ("none", "asha")
"""The names of all rules."""


class StoppingRule(Protocol):
    """Decides after each epoch of a trial whether it goes on."""

    def report(self, trial: int, epoch: int, value: float) -> str | None:
        """None if `trial` goes on, else in words why it stops.

        Args:
            trial: its number.
            epoch: finished passes over the training set, from 1.
            value: of the objective after them; finite.
        """
        ...


class NoStopping:
    """Every trial runs to its end."""

    def report(self, trial: int, epoch: int, value: float) -> str | None:
        """Always None."""
        return None


class Asha:
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934) as a stopping rule.

    Rungs stand at epochs grace * reduction^k below `max_epochs`. A trial has at each rung the value of its
    first report at or past it, and goes on if that is among the best 1/reduction of the values that the
    rung has by then. Among fewer than `reduction` values only the best goes on: where the paper lets a
    trial wait for others, this rule must decide at once. Equal values share their rank.
    """

    def __init__(self, objective: Objective, *, grace: int = 1, reduction: int = 3, max_epochs: int) -> None:
        if grace < 1:
            raise ValueError(f"`grace`: got {grace}, expected at least 1 epoch")
        if reduction < 2:
            raise ValueError(f"`reduction`: got {reduction}, expected at least 2")
        self._metric = objective.metric
        self._sign = 1.0 if objective.goal == "min" else -1.0
        self._reduction = reduction
        self._max_epochs = max_epochs
        # By epoch of the rung: (epoch, cost) of each trial that has reached it.
        self._rungs: dict[int, dict[int, tuple[int, float]]] = {}
        while grace < max_epochs:
            self._rungs[grace] = {}
            grace *= reduction

    def report(self, trial: int, epoch: int, value: float) -> str | None:
        """None if `trial` goes on, else in words why it stops; it never stops at or past the last epoch."""
        assert math.isfinite(value), "a trial that is not finite fails before it can be stopped"
        decisive: dict[int, tuple[int, float]] = {}
        for at, rung in self._rungs.items():
            # A report told again after a resume is decided again, with the value it had.
            if at <= epoch and rung.setdefault(trial, (epoch, self._sign * value))[0] == epoch:
                decisive = rung
        n = len(decisive)
        if n == 0 or epoch >= self._max_epochs:
            return None
        better = sum(cost < decisive[trial][1] for _, cost in decisive.values())
        if better < max(1, n // self._reduction):
            return None
        return f"asha: {self._metric} {value:.4g} at epoch {epoch} is not {self._wanted(n)} of {n} trials"

    def _wanted(self, n: int) -> str:
        if n < 2 * self._reduction:
            return "the best"
        share = {2: "half", 3: "third", 4: "quarter"}.get(self._reduction, f"1/{self._reduction}")
        return f"among the best {share}"


def make_rule(
    name: str, objectives: Sequence[Objective], *, grace: int = 1, reduction: int = 3, max_epochs: int
) -> StoppingRule:
    """The rule called `name`, for trials of `max_epochs` epochs.

    Raises ValueError if there is no such rule, if it needs one objective and there are more, or if `grace`
    (epochs before anything stops) or `reduction` is out of range.
    """
    if name not in RULES:
        raise ValueError(f"`rule`: got {name!r}, expected one of {', '.join(RULES)}")
    if name == "none":
        return NoStopping()
    if len(objectives) != 1:
        raise ValueError(
            f"`rule`: {name} needs one objective, there are {len(objectives)}; take none, or one objective"
        )
    return Asha(objectives[0], grace=grace, reduction=reduction, max_epochs=max_epochs)
