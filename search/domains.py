"""Domains: the values that a searched field may have."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

Value: TypeAlias = str | float | int | bool | None


@dataclass(frozen=True)
class _Real:
    """What ranges of real numbers share."""

    low: float
    high: float

    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        return float(self.low), float(self.high)

    def can_be(self, value: object) -> bool:
        """Whether a condition on `value` can hold; a real number hits a given one with probability 0."""
        return False

    def has(self, value: object) -> bool:
        """Whether `value` is in the domain."""
        return isinstance(value, float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Uniform(_Real):
    """A real number, uniform in [low, high]."""

    def __post_init__(self) -> None:
        _check_range("uniform", self.low, self.high)

    def distribution(self) -> "BaseDistribution":
        """The domain in optuna's terms."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high)

    def at(self, u: float) -> float:
        """The value at the share `u` of the domain, in [0, 1]."""
        return min(self.low + u * (self.high - self.low), float(self.high))

    def share(self, value: float) -> float:
        """The inverse of `at`."""
        return (value - self.low) / (self.high - self.low)

    def suggest(self, trial: "Trial", path: str) -> float:
        """The trial's value for `path`."""
        return float(trial.suggest_float(path, self.low, self.high))


@dataclass(frozen=True)
class Log(_Real):
    """A real number whose logarithm is uniform in [log(low), log(high)]."""

    def __post_init__(self) -> None:
        _check_range("log", self.low, self.high)
        if self.low <= 0:
            raise ValueError(
                f"`log`: got low {self.low:g}, expected above 0; for ranges with 0 take `uniform`"
            )

    def distribution(self) -> "BaseDistribution":
        """The domain in optuna's terms."""
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=True)

    def at(self, u: float) -> float:
        """The value at the share `u` of the domain, in [0, 1]."""
        return min(float(self.low * (self.high / self.low) ** u), float(self.high))

    def share(self, value: float) -> float:
        """The inverse of `at`."""
        return math.log(value / self.low) / math.log(self.high / self.low)

    def suggest(self, trial: "Trial", path: str) -> float:
        """The trial's value for `path`."""
        return float(trial.suggest_float(path, self.low, self.high, log=True))


@dataclass(frozen=True)
class Int:
    """A whole number, uniform in low, low + 1, ..., high."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _check_range("int", self.low, self.high)
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise ValueError(f"`int`: got [{self.low}, {self.high}], expected whole numbers")

    def ends(self) -> tuple[int, int]:
        """The least and the largest value."""
        return self.low, self.high

    def can_be(self, value: object) -> bool:
        """Whether a condition on `value` can hold."""
        return self.has(value)

    def has(self, value: object) -> bool:
        """Whether `value` is in the domain."""
        return isinstance(value, int) and self.low <= value <= self.high

    def distribution(self) -> "BaseDistribution":
        """The domain in optuna's terms."""
        from optuna.distributions import IntDistribution

        return IntDistribution(self.low, self.high)

    def at(self, u: float) -> int:
        """The value at the share `u` of the domain, in [0, 1]; all have the same share."""
        return min(self.low + int(u * (self.high - self.low + 1)), self.high)

    def share(self, value: float) -> float:
        """The middle of the value's share of the domain."""
        return (value - self.low + 0.5) / (self.high - self.low + 1)

    def suggest(self, trial: "Trial", path: str) -> int:
        """The trial's value for `path`."""
        return int(trial.suggest_int(path, self.low, self.high))


@dataclass(frozen=True)
class Choice:
    """One of `options`: text, numbers, truth values or None, without an order."""

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("`choice`: got no options, expected at least one")
        for option in self.options:
            if not isinstance(option, Value) or (isinstance(option, float) and not math.isfinite(option)):
                raise ValueError(
                    f"`choice`: got {option!r}, expected text, a finite number, true, false or null"
                )
        twice = [option for option, times in Counter(self.options).items() if times > 1]
        if twice:
            raise ValueError(f"`choice`: got {twice[0]!r} more than once, give every option once")

    def ends(self) -> tuple[Value, ...]:
        """All options."""
        return self.options

    def can_be(self, value: object) -> bool:
        """Whether a condition on `value` can hold."""
        return self.has(value)

    def has(self, value: object) -> bool:
        """Whether `value` is in the domain."""
        return value in self.options

    def distribution(self) -> "BaseDistribution":
        """The domain in optuna's terms."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.options)

    def at(self, u: float) -> Value:
        """The value at the share `u` of the domain, in [0, 1]; all have the same share."""
        return self.options[min(int(u * len(self.options)), len(self.options) - 1)]

    def suggest(self, trial: "Trial", path: str) -> Value:
        """The trial's value for `path`."""
        return trial.suggest_categorical(path, self.options)


Domain: TypeAlias = Uniform | Log | Int | Choice


def _check_range(kind: str, low: float, high: float) -> None:
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise ValueError(f"`{kind}`: got {end!r}, expected a finite number")
    if not low < high:
        raise ValueError(f"`{kind}`: got [{low:g}, {high:g}], expected the low end below the high end")
