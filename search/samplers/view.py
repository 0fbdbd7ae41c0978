"""What samplers with a model share: they see a history of bounded length in place of the whole study."""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search._optuna_internals import HistoryView


class SeesHistory(BaseSampler):
    """To be put before a sampler of Optuna's: its model is made of the trials in `seen`, and of no others."""

    seen: Sequence[FrozenTrial] = ()

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values of the fields that are sampled together."""
        return super().sample_relative(HistoryView(study, self.seen), trial, search_space)  # type: ignore[safe-super]

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value of a field by itself."""
        view = HistoryView(study, self.seen)
        return super().sample_independent(view, trial, param_name, param_distribution)  # type: ignore[safe-super]
