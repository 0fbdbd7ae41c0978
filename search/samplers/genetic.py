"""Genetic algorithms: NSGA-II, Deb et al. 2002, doi:10.1109/4235.996017, and NSGA-III, Deb & Jain 2014,
doi:10.1109/TEVC.2013.2281535.
"""

import warnings
from collections.abc import Sequence

from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.seeds import seed_of
from search.space import Space

POPULATION = 50
CROSSOVER = 0.9
SELECTION = 1
"""Random stream of the choice of parents, apart from those of the suggestions."""


class Genetic(Strategy):
    """Breeds a generation from the best of those before.

    A generation is full when so many trials are complete, whichever they were bred in: none that comes late
    is lost. A child inherits the fields that are not active along with the others.
    """

    latent = True

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        self.population = options.population or POPULATION
        self.generation = 0
        self.parents: list[FrozenTrial] = []
        self.successors: list[FrozenTrial] = []

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        return self._made(self.seed(number))

    def observe(self, study: Study, trial: FrozenTrial) -> None:
        """See `Strategy`. Pruned trials have no children."""
        if trial.state != TrialState.COMPLETE:
            return
        self.successors.append(trial)
        if len(self.successors) == self.population:
            self._select(study)

    def warm_start(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        """See `Strategy`. The best of them are the first parents."""
        self.successors = list(trials)
        if len(trials) >= 2:
            self._select(study)

    def _select(self, study: Study) -> None:
        seed = seed_of(seed_of(self.options.seed, self.generation), SELECTION)
        self.generation += 1
        self.parents = self._made(seed).select_parent(study, self.generation)
        self.successors = []

    def _made(self, seed: int) -> "_Nsga2 | _Nsga3":
        kind = _Nsga2 if self.options.sampler == "nsga2" else _Nsga3
        crossover = CROSSOVER if self.options.crossover is None else self.options.crossover
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # NSGA-III has been so for years
            sampler = kind(
                population_size=self.population,
                crossover_prob=crossover,
                mutation_prob=self.options.mutation,
                seed=seed,
            )
        sampler.generation, sampler.parents, sampler.members = self.generation, self.parents, self.successors
        sampler.fields = self.space.distributions()
        return sampler


class _Bred:
    """Replaces optuna's search through the whole study for generations and parents."""

    generation: int
    parents: Sequence[FrozenTrial]
    members: Sequence[FrozenTrial]
    fields: dict[str, BaseDistribution]

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is inherited: all fields."""
        return self.fields

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        return self.generation

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return list(self.members)

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return list(self.parents)


class _Nsga2(_Bred, NSGAIISampler):
    pass


class _Nsga3(_Bred, NSGAIIISampler):
    pass
