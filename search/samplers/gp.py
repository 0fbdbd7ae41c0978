"""Bayesian optimisation with a Gaussian process; see `optuna.samplers.GPSampler` for its sources.

Acquisition by log expected improvement, or hypervolume improvement, of arXiv:2310.20708 and arXiv:2006.05078.
"""

from collections.abc import Sequence

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from search.samplers.history import History
from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.samplers.view import SeesHistory
from search.space import Space

STARTUP = 10
HISTORY = 100
"""Its time grows with the cube of the trials."""


class GaussianProcess(Strategy):
    """For few and costly trials: a suggestion takes from a tenth of a second to some seconds."""

    latent = True

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        self._history = History(options.history or HISTORY)

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        seen = [*self._history.trials, *running]
        return _Gp(self.seed(number), self.options.startup or STARTUP, self.space.distributions(), seen)

    def resample(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`. At random: without news the process would find the same again, and slowly."""
        return RandomSampler(seed=self.seed(number))

    def observe(self, study: Study, trial: FrozenTrial) -> None:
        """See `Strategy`. The process takes no pruned trials: their values are those of another epoch."""
        if trial.state == TrialState.COMPLETE:
            self._history.add(study, trial)


class _Gp(SeesHistory, GPSampler):
    def __init__(
        self, seed: int, startup: int, space: dict[str, BaseDistribution], seen: Sequence[FrozenTrial]
    ) -> None:
        super().__init__(seed=seed, n_startup_trials=startup, warn_independent_sampling=False)
        self._fields, self.seen = space, seen

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All fields."""
        return self._fields
