"""A sampler of values that were found elsewhere."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.domains import Value
from search.space import Space


class FixedSampler(BaseSampler):
    """Suggests `values`, by path."""

    def __init__(self, space: Space, values: Mapping[str, Value]) -> None:
        self._values = dict(values)
        self._space = {path: d for path, d in space.distributions().items() if path in values}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The fields that have a value."""
        return self._space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The values."""
        return self._values

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Never asked: there is a value for every field that has a choice."""
        raise AssertionError(f"no value is given for {param_name}")
