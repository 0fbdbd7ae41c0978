"""Faults while they are being collected, and the words they share."""

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
