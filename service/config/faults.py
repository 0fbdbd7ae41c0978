"""Faults while they are being collected, and the words they share."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

Where = tuple[str | int, ...]
"""Keys and list indices from the root of a document down to a value."""


class ConfigFault(NamedTuple):
    """A fault and the value that it is about."""

    where: Where
    message: str
    line: int | None = None
    """Its line in the file, where that is not the line of the value."""
    option: int | None = None
    """The number of the option that is at fault, where that is not what gave the value."""


def dotted(where: Where) -> str:
    """The path as `--set` takes it; `file` for the whole document.

    >>> dotted(("objectives", 0, "goal"))
    'objectives.0.goal'
    """
    return ".".join(map(str, where)) or "file"


def show(value: object) -> str:
    """The value as a short Python literal.

    >>> show("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """The fault for a name that is not known, with the nearest known one, or all of them.

    >>> unknown("metric", "acuracy", ["accuracy", "loss"])
    'there is no such metric; did you mean `accuracy`?'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    cure = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(names)
    return f"there is no such {noun}; {cure}"
