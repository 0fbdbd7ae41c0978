"""What is searched: fields, each with a domain of values.

A field is named by its dotted path, `learner.wiring_cost`; the last name is its column in the tables. A
field may be searched only under a condition (`when`) on the values of others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from search.domains import Domain, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


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

    def domain(self, path: str) -> Domain:
        """The domain of a searched path."""
        return next(f.domain for f in self.fields if f.path == path)

    def draw(self, rng: np.random.Generator) -> list[tuple[Field, float]]:
        """A share of its domain for every field, at random."""
        return list(zip(self.fields, rng.random(len(self.fields)).tolist(), strict=True))

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Whether these are values of all active fields and of no others, each in its domain."""
        active = self.active(values)
        wanted = [f.path for f in self.fields if f.active(active)]
        return sorted(values) == sorted(wanted) and all(self.domain(p).has(v) for p, v in values.items())

    def common(self) -> "dict[str, BaseDistribution]":
        """What every trial has a value of and more than one to choose from, by path."""
        known = {f.path: f.domain.distribution() for f in self.fields if not f.when}
        return {path: distribution for path, distribution in known.items() if not distribution.single()}

    def distributions(self) -> "dict[str, BaseDistribution]":
        """All fields that have more than one value to choose from, active or not, by path."""
        known = {f.path: f.domain.distribution() for f in self.fields}
        return {path: distribution for path, distribution in known.items() if not distribution.single()}

    def given(self, fixed: Mapping[str, object]) -> "Space":
        """The same without the conditions on `fixed` paths, and without fields whose condition does not hold.

        Raises ValueError unless every condition is on a path that is searched or in `fixed`, never both.
        """
        self._check_fixed(fixed)
        kept = [
            Field(f.path, f.domain, {path: w for path, w in f.when.items() if path not in fixed})
            for f in self.fields
            if all(fixed[path] in _allowed(wanted) for path, wanted in f.when.items() if path in fixed)
        ]
        searched = {f.path for f in kept}
        return Space(f for f in kept if set(f.when) <= searched)

    def _check_fixed(self, fixed: Mapping[str, object]) -> None:
        for f in self.fields:
            if f.path in fixed:
                raise ValueError(f"`{f.path}` is searched and set to {fixed[f.path]!r}; drop one of the two")
            for path in f.when:
                if path not in fixed and path not in self.paths:
                    raise ValueError(f"`{f.path}` depends on `{path}`, which is neither searched nor set")

    def active(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values of the fields that are active, by path."""
        found: dict[str, Value] = {}
        for f in self.fields:
            if f.path in values and f.active(found):
                found[f.path] = values[f.path]
        return found

    def suggest(self, trial: "Trial", latent: bool = False) -> dict[str, Value]:
        """The trial's values for the active fields; with `latent`, for the others, too. By path.

        Args:
            trial: an open trial of a study; its parameters are named by full path.
            latent: whether fields that are not active get a value, which nothing but the sampler sees.
        """
        values: dict[str, Value] = {}
        for f in self.fields:
            if latent or f.active(values):
                values[f.path] = f.domain.suggest(trial, f.path)
        return values


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
