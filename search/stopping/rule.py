"""What a stopping rule is."""

from collections.abc import Mapping
from typing import Protocol


class StoppingRule(Protocol):
    """Decides after each epoch of a trial whether it goes on.

    A rule holds no state of its own worth saving: told again all reports so far, those of each trial in their
    order, it decides as before.
    """

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """None if `trial` goes on, else in words why it stops.

        Args:
            trial: its number.
            epoch: finished passes over the training set, from 1.
            metrics: after them; finite for objectives and constraints.
        """
        ...


class NoStopping:
    """Lets every trial run to its end."""

    def report(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """Always None."""
        return None
