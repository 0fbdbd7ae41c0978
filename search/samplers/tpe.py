"""Tree-structured Parzen estimator, Bergstra et al. 2011; Ozaki et al. 2022 for several objectives."""

from collections.abc import Sequence

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.samplers.history import History
from search.samplers.options import SamplerOptions
from search.samplers.strategy import Strategy
from search.samplers.view import SeesHistory
from search.space import Space

STARTUP = 10
HISTORY = 500


class Tpe(Strategy):
    """Models where good trials lie, and where the others do; fields with a condition have their own."""

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        super().__init__(options, space)
        self._history = History(options.history or HISTORY)

    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """See `Strategy`."""
        seen = [*self._history.trials, *running]
        return _Tpe(self.seed(number), self.options.startup or STARTUP, self.space.common(), seen)

    def observe(self, study: Study, trial: FrozenTrial) -> None:
        """See `Strategy`."""
        self._history.add(study, trial)


class _Tpe(SeesHistory, TPESampler):
    def __init__(
        self, seed: int, startup: int, common: dict[str, BaseDistribution], seen: Sequence[FrozenTrial]
    ) -> None:
        # Running trials count as bad ones, lest those asked side by side crowd together.
        super().__init__(seed=seed, n_startup_trials=startup, constant_liar=True)
        self._common, self.seen = common, seen

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is sampled jointly: with one objective, the fields common to all trials."""
        return self._common if len(study.directions) == 1 else {}
