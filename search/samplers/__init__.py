"""Samplers by name: who suggests the next values."""

from collections.abc import Sequence

from search.objectives import Objective
from search.samplers.cmaes import CmaEs
from search.samplers.genetic import Genetic
from search.samplers.gp import GaussianProcess
from search.samplers.grid import Grid
from search.samplers.options import LEARNING, SAMPLERS, TAKES, SamplerOptions, unsuitable
from search.samplers.qmc import Qmc
from search.samplers.random import RandomSearch
from search.samplers.strategy import Strategy, seed_of
from search.samplers.tpe import Tpe
from search.space import Space

__all__ = [
    "LEARNING",
    "SAMPLERS",
    "TAKES",
    "SamplerOptions",
    "Strategy",
    "make_strategy",
    "seed_of",
    "unsuitable",
]

_STRATEGIES: dict[str, type[Strategy]] = {
    "random": RandomSearch,
    "grid": Grid,
    "qmc": Qmc,
    "tpe": Tpe,
    "gp": GaussianProcess,
    "cmaes": CmaEs,
    "nsga2": Genetic,
    "nsga3": Genetic,
}


def make_strategy(options: SamplerOptions, space: Space, objectives: Sequence[Objective]) -> Strategy:
    """The strategy that `options` name, for a space with no condition on what is fixed.

    Raises ValueError if they do not suit the space or the objectives; see `unsuitable`.
    """
    for option, fault in unsuitable(options, space, objectives):
        raise ValueError(f"`{option}`: {fault}")
    return _STRATEGIES[options.sampler](options, space)
