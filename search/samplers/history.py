"""What a model-based sampler remembers: enough to be as good, and no more than its time allows."""

from collections.abc import Sequence

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.objectives import pareto_front

BEST_SHARE = 4
"""One in so many of the trials that are kept is kept for its values, the others for being the latest."""


class History:
    """At most `size` finished trials, the best and the latest, in their order.

    TPE tells at most 25 good trials from the others, and gives the oldest of the others the least weight:
    what is forgotten here hardly counted.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.trials: list[FrozenTrial] = []

    def add(self, study: Study, trial: FrozenTrial) -> None:
        """Remember a finished trial; what has become too much is forgotten."""
        self.trials.append(trial)
        if len(self.trials) > self._size:
            # A quarter at once, so that ranking is rare.
            keep = self._size - self._size // 4
            best = _best(self.trials, study.directions, keep // BEST_SHARE)
            latest = set(range(len(self.trials) - (keep - len(best)), len(self.trials)))
            self.trials = [self.trials[n] for n in sorted(best | latest)]


def _best(trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection], count: int) -> set[int]:
    """The `count` best complete trials: by violation, and by non-domination rank among those without."""
    violations = {n: _violation(t) for n, t in enumerate(trials) if t.state == TrialState.COMPLETE}
    feasible = [n for n, violation in violations.items() if violation == 0]
    goals = ["max" if d == StudyDirection.MAXIMIZE else "min" for d in directions]
    best: list[int] = []
    while feasible and len(best) < count:
        front = {feasible[n] for n in pareto_front(np.array([trials[n].values for n in feasible]), goals)}
        best += sorted(front, reverse=True)
        feasible = [n for n in feasible if n not in front]
    best += sorted((n for n in violations if violations[n] > 0), key=lambda n: violations[n])
    return set(best[:count])


def _violation(trial: FrozenTrial) -> float:
    return sum(value for value in trial.constraints.values() if value > 0)
