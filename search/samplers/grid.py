"""All combinations of values, once each."""

from collections.abc import Sequence

import numpy as np
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from search.combinations import combinations
from search.samplers.fixed import FixedSampler
from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.space import Space


class Grid(Strategy):
    """Goes through the grid in an order that the seed shuffles, so that its first part covers it evenly.

    A continuous field has `steps` points, from end to end. Combinations that differ in fields which are not
    active are one.
    """

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        points = list(combinations(space, options.steps or 0))
        order = np.random.default_rng(options.seed).permutation(len(points))
        self._points = [points[n] for n in order]
        self.size = len(points)

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        return FixedSampler(self.space, self._points[number % len(self._points)])
