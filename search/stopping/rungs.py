"""The rungs of successive halving: what each trial had reached when it first got there."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Rungs(Generic[T]):
    """Rungs at epochs grace * reduction^k below `max_epochs`.

    A trial has at each rung the result of its first report at or past it.
    """

    grace: int
    reduction: int
    max_epochs: int

    def __post_init__(self) -> None:
        if self.grace < 1:
            raise ValueError(f"`grace`: got {self.grace}, expected at least 1 epoch")
        if self.reduction < 2:
            raise ValueError(f"`reduction`: got {self.reduction}, expected at least 2")
        # By epoch of the rung: (epoch, result) of each trial that has reached it.
        self._rungs: dict[int, dict[int, tuple[int, T]]] = {}
        epoch = self.grace
        while epoch < self.max_epochs:
            self._rungs[epoch] = {}
            epoch *= self.reduction

    def reached(self, trial: int, epoch: int, result: T) -> dict[int, T]:
        """Results by trial at the highest rung that `trial` reaches by this report; empty if it reaches none.

        A report told again is answered again. There is nothing to be gained at or past the last epoch.
        """
        decisive: dict[int, tuple[int, T]] = {}
        for at, rung in self._rungs.items():
            if at <= epoch and rung.setdefault(trial, (epoch, result))[0] == epoch:
                decisive = rung
        if epoch >= self.max_epochs:
            return {}
        return {other: found for other, (_, found) in decisive.items()}

    def places(self, n: int) -> int:
        """How many of `n` trials at a rung go on."""
        return max(1, n // self.reduction)

    def wanted(self, n: int) -> str:
        """In words, among how many of `n` trials one has to be to go on."""
        if self.places(n) == 1:
            return "the best"
        share = {2: "half", 3: "third", 4: "quarter"}.get(self.reduction, f"1/{self.reduction}")
        return f"among the best {share}"
