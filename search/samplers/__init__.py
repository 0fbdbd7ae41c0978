"""Samplers by name: who suggests the next values."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from search.samplers.options import LEARNING, SAMPLERS, TAKES, SamplerOptions, unsuitable

if TYPE_CHECKING:
    from search.objectives import Objective
    from search.samplers.strategy import Strategy
    from search.space import Space

__all__ = ["LEARNING", "SAMPLERS", "TAKES", "SamplerOptions", "make_strategy", "unsuitable"]

_STRATEGIES = {
    "random": ("random", "RandomSearch"),
    "grid": ("grid", "Grid"),
    "qmc": ("qmc", "Qmc"),
    "tpe": ("tpe", "Tpe"),
    "gp": ("gp", "GaussianProcess"),
    "cmaes": ("cmaes", "CmaEs"),
    "nsga2": ("genetic", "Genetic"),
    "nsga3": ("genetic", "Genetic"),
}
"""Module and class of each, loaded when it is chosen: some bring libraries that take a second to load."""


def make_strategy(options: SamplerOptions, space: "Space", objectives: "Sequence[Objective]") -> "Strategy":
    """The strategy that `options` name, for a space with no condition on what is fixed.

    Raises ValueError if they do not suit the space or the objectives; see `unsuitable`.
    """
    for option, fault in unsuitable(options, space, objectives):
        raise ValueError(f"`{option}`: {fault}")
    module, name = _STRATEGIES[options.sampler]
    strategy: type[Strategy] = getattr(import_module(f"search.samplers.{module}"), name)
    return strategy(options, space)
