"""Samplers by name: who suggests the next values.

A sampler lives for one suggestion only. What it knows comes from the study, and its random numbers from
the seed of the search and the number of the suggestion, so that a search which is closed and reopened goes
on as if it had never stopped. All samplers here suit that: TPE reads the history anew each time, and
NSGA-II keeps the generation of a trial, and the parents of a generation, in the study.
"""

from collections.abc import Callable

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.space import Space

DEFAULT_POPULATION = 50


class Tpe(TPESampler):
    """Tree-structured Parzen estimator, Bergstra et al. 2011; Ozaki et al. 2022 for several objectives."""

    def __init__(self, seed: int, space: Space, population: int | None) -> None:
        # Running trials count as bad ones, lest those asked side by side crowd together.
        super().__init__(seed=seed, constant_liar=True)
        self._common = space.common()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is sampled jointly: with one objective, the parameters common to all trials.

        Optuna finds the same by going through the history, which takes longer than all the rest.
        """
        return self._common if len(study.directions) == 1 else {}


class Nsga2(NSGAIISampler):
    """Non-dominated sorting genetic algorithm II, Deb et al. 2002, doi:10.1109/4235.996017."""

    def __init__(self, seed: int, space: Space, population: int | None) -> None:
        super().__init__(seed=seed, population_size=population or DEFAULT_POPULATION)
        self._common = space.common()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is inherited: the parameters common to all trials (as in `Tpe`); others are drawn anew."""
        return self._common


def _random(seed: int, space: Space, population: int | None) -> BaseSampler:
    return RandomSampler(seed=seed)


_FACTORIES: dict[str, Callable[[int, Space, int | None], BaseSampler]] = {
    "random": _random,
    "tpe": Tpe,
    "nsga2": Nsga2,
}
SAMPLERS = tuple(_FACTORIES)
"""The names of all samplers."""
WITH_POPULATION = ("nsga2",)
"""Those that breed in generations of `population` trials."""


def make_sampler(name: str, seed: int, space: Space, population: int | None = None) -> BaseSampler:
    """The sampler called `name`.

    Args:
        name: one of `SAMPLERS`.
        seed: of its random numbers, as from `seed_of`.
        space: what is searched.
        population: trials in a generation, for a sampler that has them; None: 50.

    Raises:
        ValueError: if there is no such sampler, or `population` does not suit it.
    """
    if name not in _FACTORIES:
        raise ValueError(f"`sampler`: got {name!r}, expected one of {', '.join(SAMPLERS)}")
    if population is not None and name not in WITH_POPULATION:
        raise ValueError(
            f"`population`: sampler {name} has none; drop it, or take {', '.join(WITH_POPULATION)}"
        )
    if population is not None and population < 2:
        raise ValueError(f"`population`: got {population}, expected at least 2")
    return _FACTORIES[name](seed, space, population)


def seed_of(seed: int, number: int) -> int:
    """The seed of suggestion `number` (from 0) in a search with `seed`."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
