"""Successive halving for several objectives, by non-domination rank.

After Schmucker et al. 2021, arXiv:2106.12639; constraints and room as in NSGA-II.
"""

from collections.abc import Mapping, Sequence

from search.objectives import Constraint, Objective, costs, total_violation
from search.ranking import Result, fronts
from search.stopping.rungs import Rungs


class Pareto:
    """At every rung a trial goes on if it is among the best 1/reduction of those that have got there by then.

    A trial that violates the constraints less is better; among those that hold them, one of a lower rank, and
    within a rank one in a less crowded place. A trial that no other dominates always goes on.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        *,
        grace: int = 1,
        reduction: int = 3,
        max_epochs: int,
    ) -> None:
        self._objectives, self._constraints = tuple(objectives), tuple(constraints)
        self._rungs = Rungs[Result](grace, reduction, max_epochs)

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """See `StoppingRule`."""
        result = Result(total_violation(self._constraints, metrics), costs(self._objectives, metrics))
        rung = self._rungs.reached(trial, epoch, result)
        n = len(rung)
        if n == 0:
            return None
        rank, better = rank_of(trial, rung)
        if rank == 0 or better < self._rungs.places(n):
            return None
        said = f"pareto: rank {rank} at epoch {epoch}"
        if rung[trial].violation > 0:
            said = f"pareto: out of its constraints by {rung[trial].violation:.4g} at epoch {epoch}"
        return f"{said} is not {self._rungs.wanted(n)} of {n} trials"


def rank_of(trial: int, rung: Mapping[int, Result]) -> tuple[int, int]:
    """The rank of `trial` among those at a rung, from 0, and how many are better; equals are not."""
    results = list(rung.values())
    better = 0
    for rank, front in enumerate(fronts(results)):
        ahead = next((n for n, index in enumerate(front) if results[index] == rung[trial]), None)
        if ahead is not None:
            return rank, better + (0 if rung[trial].violation > 0 else ahead)
        better += len(front)
    raise AssertionError(f"trial {trial} has not reached the rung")
