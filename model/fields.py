"""Dataclass fields that know their legal range, checked one by one.

A configuration is checked at two places: where it is built in Python, and where it is read from a sweep
file, which wants every fault with the line it stands on, and wants the ends of a search range checked
like the value they stand for. Both ask `field_fault`.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["integer", "real", "flag", "choice", "text"]


@dataclass(frozen=True)
class Legal:
    """The legal values of one field; the ends of the range are legal unless said otherwise."""

    kind: Kind
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    options: tuple[Any, ...] = ()
    optional: bool = False

    def fault(self, value: object) -> str | None:
        """What is wrong with `value` and what is legal, or None."""
        if value is None and self.optional:
            return None
        return None if self._holds(value) else f"got {value!r}, expected {self.describe()}"

    def _holds(self, value: object) -> bool:
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "text":
            return isinstance(value, str) and value != ""
        if self.kind == "choice":
            return any(value == option and type(value) is type(option) for option in self.options)
        number = int if self.kind == "integer" else (int, float)
        if isinstance(value, bool) or not isinstance(value, number):
            return False
        above = value > self.low if self.low_open else value >= self.low
        return math.isfinite(value) and above and value <= self.high

    def describe(self) -> str:
        """The legal values in words.

        >>> Legal("integer", low=1).describe()
        'a whole number of at least 1'
        """
        null = " or null" if self.optional else ""
        if self.kind == "choice":
            return "one of " + ", ".join(map(str, self.options)) + null
        if self.kind in ("flag", "text"):
            return {"flag": "true or false", "text": "text"}[self.kind] + null
        parts = []
        if self.low > -math.inf:
            parts.append(f"above {self.low:g}" if self.low_open else f"of at least {self.low:g}")
        if self.high < math.inf:
            parts.append(f"at most {self.high:g}")
        noun = "a whole number" if self.kind == "integer" else "a number"
        return " ".join([noun, " and ".join(parts)]).strip() + null


def integer(default: int | None, *, low: float = -math.inf, optional: bool = False) -> Any:
    """A field for a whole number of at least `low`."""
    return field(default=default, metadata={"legal": Legal("integer", low=low, optional=optional)})


def real(
    default: float | None,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    optional: bool = False,
) -> Any:
    """A field for a finite number from `low` (or from above `above`) to `high`."""
    start, is_open = (low, False) if above is None else (above, True)
    legal = Legal("real", low=start, high=high, low_open=is_open, optional=optional)
    return field(default=default, metadata={"legal": legal})


def choice(default: Any, options: tuple[Any, ...]) -> Any:
    """A field that takes one of `options`."""
    return field(default=default, metadata={"legal": Legal("choice", options=options)})


def flag(default: bool) -> Any:
    """A field that is true or false."""
    return field(default=default, metadata={"legal": Legal("flag")})


def text(default: str | None = None, *, optional: bool = False) -> Any:
    """A field for text that is not empty; without a default and not optional, it must be given."""
    start = MISSING if default is None and not optional else default
    return field(default=start, metadata={"legal": Legal("text", optional=optional)})


def legal_values(cls: type, name: str) -> Legal | None:
    """The legal values of field `name` of dataclass `cls`, or None if there is no such field."""
    for f in fields(cls):
        if f.name == name:
            legal: Legal = f.metadata["legal"]
            return legal
    return None


def field_fault(cls: type, name: str, value: object) -> str | None:
    """What is wrong with setting field `name` of dataclass `cls` to `value`, or None.

    >>> from model.config import LearnerConfig
    >>> field_fault(LearnerConfig, "hidden", 0)
    'got 0, expected a whole number of at least 1'
    >>> field_fault(LearnerConfig, "hiden", 8)
    'there is no such field; did you mean `hidden`?'
    """
    legal = legal_values(cls, name)
    if legal is None:
        return no_such_field(name, [f.name for f in fields(cls)])
    return legal.fault(value)


def no_such_field(name: str, known: list[str]) -> str:
    """The fault for an unknown name, with the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    cure = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(known)
    return f"there is no such field; {cure}"


def check(instance: Any) -> None:
    """Raise ValueError naming every field of `instance` whose value is not legal."""
    values: Mapping[str, object] = {f.name: getattr(instance, f.name) for f in fields(instance)}
    faults = {name: field_fault(type(instance), name, value) for name, value in values.items()}
    found = [f"`{name}`: {fault}" for name, fault in faults.items() if fault]
    if found:
        raise ValueError(f"{type(instance).__name__}: " + "; ".join(found))
