"""What can go wrong in the service, for those who catch it.

    PolychronyError
    ├── UserError       the user's input is wrong; nothing was started         (exit code 2)
    └── SweepError      the sweep could not go on; what is finished is kept    (exit code 1)

A trial that fails is neither: it is a row in the table `trials`, with its reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from service.text import redact


class PolychronyError(Exception):
    """Any error that is reported by its text alone, without a traceback."""


@dataclass(frozen=True)
class Fault:
    """One fault in the user's input: where it stands, what it is about, what is wrong and the cure.

    >>> print(Fault("sweep.yaml:3", "learner.hidden", "got 0, expected a whole number of at least 1"))
    sweep.yaml:3: learner.hidden: got 0, expected a whole number of at least 1
    """

    place: str
    """`file:line`, or the option of the command line that it came from."""
    field: str
    """The field's dotted path, or whatever else is at fault, such as `file`."""
    message: str

    def __str__(self) -> str:
        line = redact(f"{self.place}: {self.field}: {self.message}")
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


class UserError(PolychronyError):
    """The user's input is wrong; all faults that were found, printed one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type["UserError"], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class SweepError(PolychronyError):
    """The sweep could not go on: the text says why, what is kept, and the cure."""


class HeldError(SweepError):
    """Another process holds the sweep."""
