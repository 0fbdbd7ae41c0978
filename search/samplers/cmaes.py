"""Covariance matrix adaptation, Hansen & Ostermeier 2001, doi:10.1162/106365601750190398.

With restarts in larger populations (Auger & Hansen 2005, doi:10.1109/CEC.2005.1554902) and a warm start
(Nomura et al. 2021, arXiv:2012.06932).
"""

from collections.abc import Sequence

import cmaes
import numpy as np
import numpy.typing as npt
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.domains import Choice
from search.samplers.fixed import FixedSampler
from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.seeds import seed_of
from search.space import Space

SIGMA = 1 / 6
"""Deviation at the start, as a share of each domain."""
WARM_SHARE = 0.1
"""The best share of earlier trials makes the start; with fewer than one trial in it there is none."""

Ranked = tuple[npt.NDArray[np.float64], tuple[float, float, float]]
"""A point of the unit cube, and what it is ranked by: first the state, then violation, then cost."""


class CmaEs(Strategy):
    """Follows a normal distribution through the unit cube. It learns from ranks alone.

    So constraints can be heeded: those that hold come before those that do not, and pruned trials last.
    A generation is made of the trials that are finished first, whichever it was that asked for them.
    """

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        self._started = 0
        self._optimizer = self._start(np.full(len(space.fields), 0.5), SIGMA, None, options.population)
        self._generation: list[Ranked] = []

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        self._optimizer.reseed_rng(self.seed(number))
        point = self._optimizer.ask()
        return FixedSampler(
            self.space,
            {f.path: f.domain.at(float(u)) for f, u in zip(self.space.fields, point, strict=True)},
        )

    def observe(self, study: Study, trial: FrozenTrial) -> None:
        """See `Strategy`."""
        self._generation.append(self._ranked(study, trial))
        size = self._optimizer.population_size
        if len(self._generation) < size:
            return
        ordered = sorted(self._generation, key=lambda one: one[1])
        places = {key: place for place, (_, key) in reversed(list(enumerate(ordered)))}  # equals share one
        self._optimizer.tell([(point, float(places[key])) for point, key in ordered])
        self._generation = []
        if self._optimizer.should_stop():
            rng = np.random.default_rng(seed_of(self.options.seed, self._started))
            self._optimizer = self._start(rng.random(len(self.space.fields)), SIGMA, None, 2 * size)

    def warm_start(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        """See `Strategy`."""
        ranked = sorted((self._ranked(study, trial) for trial in trials), key=lambda one: one[1])
        if len(ranked) * WARM_SHARE >= 1:
            solutions = [(point, float(place)) for place, (point, _) in enumerate(ranked)]
            mean, sigma, covariance = cmaes.get_warm_start_mgd(solutions, gamma=WARM_SHARE)
            self._optimizer = self._start(mean, sigma, covariance, self.options.population)

    def _start(
        self,
        mean: npt.NDArray[np.float64],
        sigma: float,
        covariance: npt.NDArray[np.float64] | None,
        population: int | None,
    ) -> cmaes.CMA:
        self._started += 1
        bounds = np.tile([0.0, 1.0], (len(self.space.fields), 1))
        return cmaes.CMA(mean, sigma, bounds=bounds, seed=0, population_size=population, cov=covariance)

    def _ranked(self, study: Study, trial: FrozenTrial) -> Ranked:
        point = []
        for field in self.space.fields:
            assert not isinstance(field.domain, Choice), "refused by `unsuitable`"
            point.append(field.domain.share(trial.params[field.path]))
        if trial.state == TrialState.PRUNED:
            return np.array(point), (1.0, -float(trial.last_step or 0), _cost(study, trial))
        violation = sum(value for value in trial.constraints.values() if value > 0)
        return np.array(point), (0.0, violation, _cost(study, trial))


def _cost(study: Study, trial: FrozenTrial) -> float:
    if trial.value is None:
        return float("inf")
    return -trial.value if study.direction == StudyDirection.MAXIMIZE else trial.value
