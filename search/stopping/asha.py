"""Asynchronous successive halving, Li et al. 2020, arXiv:1810.05934."""

from collections.abc import Mapping

from search.objectives import Objective, costs
from search.stopping.rungs import Rungs


class Asha:
    """At every rung a trial goes on if it is among the best 1/reduction of those that have got there by then.

    Among fewer than `reduction` trials only the best goes on: where the paper lets a trial wait for others,
    this rule must decide at once. Equal values share their rank.
    """

    def __init__(
        self, objective: Objective, *, grace: int = 1, reduction: int = 3, max_epochs: int, name: str = "asha"
    ) -> None:
        self._objective, self._name = objective, name
        self._rungs = Rungs[float](grace, reduction, max_epochs)

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """See `StoppingRule`."""
        (cost,) = costs([self._objective], metrics)
        rung = self._rungs.reached(trial, epoch, cost)
        n = len(rung)
        if n == 0 or sum(other < rung[trial] for other in rung.values()) < self._rungs.places(n):
            return None
        metric = self._objective.metric
        said = f"{self._name}: {metric} {metrics[metric]:.4g} at epoch {epoch}"
        return f"{said} is not {self._rungs.wanted(n)} of {n} trials"
