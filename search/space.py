"""What is searched: domains of values, and the fields that they are for.

A field is named by its dotted path, `learner.wiring_cost`; the last name is its column in the tables. A
field may be searched only under a condition (`when`) on the values of others.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

Value: TypeAlias = str | float | int | bool | None


@dataclass(frozen=True)
class Uniform:
    """A real number, uniform in [low, high]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range("uniform", self.low, self.high)

    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        return float(self.low), float(self.high)

    def can_be(self, value: object) -> bool:
        """Whether a condition on `value` can hold; a real number hits a given one with probability 0."""
        return False

    def distribution(self) -> BaseDistribution:
        """The domain in optuna's terms."""
        return FloatDistribution(self.low, self.high)

    def suggest(self, trial: Trial, path: str) -> float:
        """The trial's value for `path`."""
        return float(trial.suggest_float(path, self.low, self.high))


@dataclass(frozen=True)
class Log:
    """A real number whose logarithm is uniform in [log(low), log(high)]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range("log", self.low, self.high)
        if self.low <= 0:
            raise ValueError(
                f"`log`: got low {self.low:g}, expected above 0; for ranges with 0 take `uniform`"
            )

    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        return float(self.low), float(self.high)

    def can_be(self, value: object) -> bool:
        """Whether a condition on `value` can hold; a real number hits a given one with probability 0."""
        return False

    def distribution(self) -> BaseDistribution:
        """The domain in optuna's terms."""
        return FloatDistribution(self.low, self.high, log=True)

    def suggest(self, trial: Trial, path: str) -> float:
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
        return isinstance(value, int) and self.low <= value <= self.high

    def distribution(self) -> BaseDistribution:
        """The domain in optuna's terms."""
        return IntDistribution(self.low, self.high)

    def suggest(self, trial: Trial, path: str) -> int:
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
        return value in self.options

    def distribution(self) -> BaseDistribution:
        """The domain in optuna's terms."""
        return CategoricalDistribution(self.options)

    def suggest(self, trial: Trial, path: str) -> Value:
        """The trial's value for `path`."""
        return trial.suggest_categorical(path, self.options)


Domain: TypeAlias = Uniform | Log | Int | Choice


@dataclass(frozen=True)
class Field:
    """A searched path and its domain, active only while every path of `when` has the value given there.

    A tuple or list in `when` stands for any one of its values.
    """

    path: str
    domain: Domain
    when: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last name of the path, the column in the tables."""
        return self.path.rpartition(".")[2]

    def active(self, values: Mapping[str, object]) -> bool:
        """Whether the field is searched, given the values of the paths it depends on (missing: inactive)."""
        return all(path in values and values[path] in _allowed(wanted) for path, wanted in self.when.items())


class Space:
    """The searched fields, ordered so that a field comes after those it depends on.

    Raises ValueError if a path or a column is taken twice, or if a condition can never hold.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        given = tuple(fields)
        _check_unique("path", [f.path for f in given])
        _check_unique("column", [f.name for f in given])
        _check_conditions(given)
        self.fields = _in_order(given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.fields == other.fields

    def __repr__(self) -> str:
        return f"Space({list(self.fields)})"

    @property
    def paths(self) -> tuple[str, ...]:
        """The searched paths, conditions before their dependents."""
        return tuple(f.path for f in self.fields)

    def common(self) -> dict[str, BaseDistribution]:
        """What every trial has a value of and more than one to choose from, by path."""
        known = {f.path: f.domain.distribution() for f in self.fields if not f.when}
        return {path: distribution for path, distribution in known.items() if not distribution.single()}

    def check_fixed(self, fixed: Mapping[str, object]) -> None:
        """Raise ValueError unless every condition is on a path that is searched or in `fixed`, never both."""
        for f in self.fields:
            if f.path in fixed:
                raise ValueError(f"`{f.path}` is searched and set to {fixed[f.path]!r}; drop one of the two")
            for path in f.when:
                if path not in fixed and path not in self.paths:
                    raise ValueError(f"`{f.path}` depends on `{path}`, which is neither searched nor set")

    def suggest(self, trial: Trial, fixed: Mapping[str, object]) -> dict[str, Value]:
        """The trial's values for the active fields, by path.

        Args:
            trial: an open trial of a study; its parameters are named by full path.
            fixed: values of paths that are not searched, for conditions.
        """
        values: dict[str, Value] = {}
        for f in self.fields:
            if f.active({**fixed, **values}):
                values[f.path] = f.domain.suggest(trial, f.path)
        return values


def _check_range(kind: str, low: float, high: float) -> None:
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise ValueError(f"`{kind}`: got {end!r}, expected a finite number")
    if not low < high:
        raise ValueError(f"`{kind}`: got [{low:g}, {high:g}], expected the low end below the high end")


def _check_unique(what: str, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"space: {what} `{twice[0]}` is taken by more than one field, search it once")


def _check_conditions(fields: tuple[Field, ...]) -> None:
    domains = {f.path: f.domain for f in fields}
    for f in fields:
        for path, wanted in f.when.items():
            impossible = [w for w in _allowed(wanted) if path in domains and not domains[path].can_be(w)]
            if impossible or not _allowed(wanted):
                raise ValueError(
                    f"`{f.path}`: the condition that `{path}` is {wanted!r} can never hold; "
                    f"name values of a `choice` or `int`"
                )


def _allowed(wanted: object) -> tuple[object, ...]:
    return tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,)


def _in_order(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    waiting, ordered = list(fields), list[Field]()
    while waiting:
        unmet = {f.path for f in waiting}
        ready = [f for f in waiting if not unmet & set(f.when)]
        if not ready:
            raise ValueError("space: the conditions of " + ", ".join(sorted(unmet)) + " go in a circle")
        ordered += ready
        waiting = [f for f in waiting if f not in ready]
    return tuple(ordered)
