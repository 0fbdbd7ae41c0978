"""What a sampler is to the search: a strategy, which makes an optuna sampler for every suggestion."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.samplers.options import SamplerOptions
from search.seeds import seed_of
from search.space import Space


class Strategy(ABC):
    """Lives as long as the search.

    What it knows follows from the trials it was told of, in their order, and its random numbers from the
    seed and the number of the suggestion. So a search that is closed and rebuilt goes on as if it had never
    stopped.
    """

    latent = False
    """Whether fields that are not active are suggested, too, for the sampler's own use."""
    size: int | None = None
    """How many suggestions there are, if not any number."""
    parents: Sequence[FrozenTrial] = ()
    """Trials that are selected to have children now, where the sampler breeds."""
    successors: Sequence[FrozenTrial] = ()
    """Trials since then, which the next parents are selected from along with these."""

    def __init__(self, options: SamplerOptions, space: Space) -> None:
        self.options, self.space = options, space

    @abstractmethod
    def sampler(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """The sampler for suggestion `number` (from 0), while the trials `running` are under way."""

    def resample(self, number: int, running: Sequence[FrozenTrial]) -> BaseSampler:
        """The sampler for suggestion `number`, after the one before it has turned out to be a duplicate."""
        return self.sampler(number, running)

    def observe(self, study: Study, trial: FrozenTrial) -> None:  # noqa: B027 (most learn nothing)
        """A trial of `study` is complete or pruned."""

    def warm_start(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        """Trials of earlier searches, all complete, before the first suggestion."""
        for trial in trials:
            self.observe(study, trial)

    def seed(self, number: int) -> int:
        """The seed of suggestion `number`."""
        return seed_of(self.options.seed, number)
