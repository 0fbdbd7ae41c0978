"""Random search, Bergstra & Bengio 2012, jmlr.org/papers/v13/bergstra12a.html."""

from collections.abc import Sequence

from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from search.samplers.strategy import Strategy


class RandomSearch(Strategy):
    """Draws every field from its domain."""

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        return RandomSampler(seed=self.seed(number))
