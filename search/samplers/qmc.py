"""Quasi-random search: a scrambled Sobol sequence, Owen 1998, doi:10.1006/jcom.1998.0487."""

from collections.abc import Sequence

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from scipy.stats.qmc import Sobol

from search.samplers.fixed import FixedSampler
from search.samplers.strategy import Strategy


class Qmc(Strategy):
    """Fills the space more evenly than random numbers do; best with a power of two of trials.

    Every field has a coordinate of its own, also where it is not active.
    """

    latent = True

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        fields = [f for f in self.space.fields if f.path in self.space.distributions()]
        if not fields:
            return FixedSampler(self.space, {})
        sequence = Sobol(len(fields), scramble=True, rng=self.options.seed)
        if number:
            sequence.fast_forward(number)
        point = sequence.random(1)[0]
        return FixedSampler(
            self.space, {f.path: f.domain.at(float(u)) for f, u in zip(fields, point, strict=True)}
        )
