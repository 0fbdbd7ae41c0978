"""Hyperband, Li et al. 2018, jmlr.org/papers/v18/16-558.html, with asynchronous brackets."""

from collections.abc import Mapping
from math import ceil, sqrt

from search.objectives import Objective
from search.stopping.asha import Asha

GOLDEN = (sqrt(5) - 1) / 2


class Hyperband:
    """Successive halving side by side with less and less haste: bracket s has the grace grace * reduction^s.

    Every bracket has a share of the trials, which goes with the number of them that Hyperband starts there.
    A trial is only compared with those of its own bracket.
    """

    def __init__(self, objective: Objective, *, grace: int = 1, reduction: int = 3, max_epochs: int) -> None:
        self._brackets: list[Asha] = []
        first = grace
        while first < max_epochs and grace >= 1 and reduction >= 2:
            name = f"hyperband, bracket {len(self._brackets)}"
            self._brackets.append(
                Asha(objective, grace=first, reduction=reduction, max_epochs=max_epochs, name=name)
            )
            first *= reduction
        if not self._brackets:  # says what is wrong
            self._brackets = [Asha(objective, grace=grace, reduction=reduction, max_epochs=max_epochs)]
        n = len(self._brackets)
        self._shares = [ceil((n + 1) / (n - s + 1) * reduction ** (n - s)) for s in range(n)]

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """See `StoppingRule`."""
        return self._brackets[self.bracket(trial)].report(trial, epoch, metrics)

    def bracket(self, trial: int) -> int:
        """The bracket of a trial: multiples of the golden ratio spread trials over the shares evenly."""
        place = trial * GOLDEN % 1 * sum(self._shares)
        for bracket, share in enumerate(self._shares):
            place -= share
            if place < 0:
                return bracket
        return len(self._shares) - 1
