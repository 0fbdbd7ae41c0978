"""A step of a move: its name and its numbers, and what may be wrong with them."""

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model.arrays import Floats
from model.border import kinds_checked, real_array, whole
from model.fields import no_such, show
from model.network.cohort import Cohort

Value = int | float | str
Values = Mapping[str, Value]


class MoveError(ValueError):
    """A move that is refused, with the reason."""


class Outcome(NamedTuple):
    """What a step has made."""

    net: Cohort
    found: dict[str, Value]
    """Values that were found on the way, to be recorded with the step."""


class Move(NamedTuple):
    """A kind of step."""

    act: Callable[[Cohort, Values], Outcome]
    """Makes new networks, and leaves those given as they are; raises MoveError or ValueError if it can't."""
    known: Collection[str] | None
    """The values that may be given; None: `act` looks at their names itself."""
    found: Collection[str] = ()
    """Those that are found on the way if they are not given: they belong to the networks at hand."""


@dataclass(frozen=True)
class Step:
    """One step of a move: the `name` of one of `MOVES`, and its `values`, numbers and text by name.

    All that is drawn or found on the way is a value, too: a step as it was applied does the same again.
    Raises TypeError or ValueError if JSON could not hold it.
    """

    name: str
    values: Values = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"Step: `name`: got {show(self.name)}, expected text")
        if not isinstance(self.values, Mapping):
            raise TypeError(f"Step: `values`: got {show(self.values)}, expected values by name")
        for name, value in self.values.items():
            if type(name) is not str or type(value) not in (bool, int, float, str):
                raise TypeError(f"Step: `values`: {show(name)} is {show(value)}, expected a number or text")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"Step: `values`: `{name}` is {value}, expected a finite number")
        object.__setattr__(self, "values", dict(self.values))


@kinds_checked
def real(values: Values, name: str, default: float | None = None) -> float:
    """The number `name`; MoveError if it is none, or if it is missing and there is no `default`."""
    value = values.get(name, default)
    if value is None:
        raise MoveError(f"`{name}` is missing")
    if isinstance(value, bool | str):
        raise MoveError(f"`{name}`: got {show(value)}, expected a number")
    return float(value)


@kinds_checked
def count_of(values: Values, most: int) -> int:
    """The value `count`, from 1 to `most`."""
    try:
        return whole(values.get("count"), "`count`", 1, most)
    except ValueError as error:
        raise MoveError(str(error)) from None


def listed(values: Values, name: str, net: Cohort, length: int) -> Floats | None:
    """Numbers [R, `length`] that stand as JSON in the value `name`; None if it is not there."""
    if name not in values:
        return None
    wanted = f"{net.replicates} lists of {length} numbers as JSON, one a replicate"
    try:
        found = real_array(json.loads(str(values[name])), f"`{name}`", "R, N")
    except ValueError:
        found = np.empty(0)
    if found.shape != (net.replicates, length) or not np.isfinite(found).all():
        raise MoveError(f"`{name}`: got {show(values[name])}, expected {wanted}")
    return found


def check_names(values: Values, known: Collection[str]) -> None:
    """Raise MoveError for a value that is not known."""
    for name in values:
        if name not in known:
            raise MoveError(no_such("value", name, known) if known else f"`{name}`: it takes no values")


def as_json(rows: Any) -> str:
    """Lists of numbers as a value."""
    return json.dumps(np.asarray(rows).tolist())
