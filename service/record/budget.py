"""What a sweep may spend, and what it has spent."""

import time
from collections.abc import Mapping
from math import isfinite
from typing import Any

from search import Constraint, Objective, recent_gain
from search.objectives import costs, metrics_needed, total_violation
from service.config.sections import BudgetSpec
from service.record.plan import MORE_SEEDS
from service.storage.paths import StoragePath, stored_files

DISK_SECONDS = 30.0
"""The folder is measured that often at most."""
HOUR = 3600.0
GIGABYTE = 1e9


class Budget:
    """Counts what was spent. Told of everything anew when a sweep is taken up again."""

    def __init__(
        self,
        limits: BudgetSpec,
        folder: StoragePath,
        objectives: tuple[Objective, ...],
        constraints: tuple[Constraint, ...],
        elapsed: float,
    ) -> None:
        """Args: the limits; the sweep's folder; what it searches for; time spent in earlier sessions (s)."""
        self._limits, self._folder = limits, folder
        self._objectives, self._constraints = objectives, constraints
        self._started = time.monotonic() - elapsed
        self._cpu_seconds = self._gpu_seconds = 0.0
        self._points: list[tuple[float, ...]] = []  # costs of complete trials within the constraints
        self._gain = 1.0
        self._disk = 0
        self._disk_at = -DISK_SECONDS

    @property
    def elapsed(self) -> float:
        """Time that the sweep has run for, over all sessions (s)."""
        return time.monotonic() - self._started

    def replay(self, row: Mapping[str, Any]) -> None:
        """Count a trial of an earlier session by its row of `trials`."""
        self.spend(row["cpu_seconds"] or 0.0, row["gpu_seconds"] or 0.0)
        self.finished(row)

    def spend(self, cpu_seconds: float, gpu_seconds: float) -> None:
        """Count what a trial has used."""
        self._cpu_seconds += cpu_seconds
        self._gpu_seconds += gpu_seconds

    def finished(self, row: Mapping[str, Any]) -> None:
        """Count what the search has gained by a finished trial, by its row of `trials`.

        A leader that was run again with more seeds gains nothing: it is no new configuration.
        """
        if self._limits.plateau is None or row["state"] != "complete" or row["move"] == MORE_SEEDS:
            return
        values = [row[name] for name in metrics_needed(self._objectives, self._constraints)]
        known = all(value is not None and isfinite(value) for value in values)
        if known and total_violation(self._constraints, row) == 0:
            self._points.append(costs(self._objectives, row))
            self._gain = recent_gain(self._points, self._limits.plateau.trials)

    def used_up(self) -> str | None:
        """Which budget is used up, in words, or None."""
        spent: dict[str, Any] = {
            "hours": self.elapsed / HOUR,
            "cpu_hours": self._cpu_seconds / HOUR,
            "gpu_hours": self._gpu_seconds / HOUR,
        }
        if self._limits.gigabytes is not None:
            spent["gigabytes"] = self._measured() / GIGABYTE
        for name, value in spent.items():
            limit = getattr(self._limits, name)
            if limit is not None and value >= limit:
                return f"{name} {value:.3g} of {limit:g}; raise `budget.{name}` to go on"
        return None

    def plateau(self) -> str | None:
        """Whether there is next to nothing to be gained any more, in words, or None."""
        limit = self._limits.plateau
        if limit is None or self._gain > limit.gain:
            return None
        return (
            f"the last {limit.trials} trials have added {self._gain:.2%} to the hypervolume; "
            "raise `budget.plateau.trials` to go on"
        )

    def _measured(self) -> int:
        """Bytes in the sweep's folder."""
        if time.monotonic() >= self._disk_at + DISK_SECONDS:
            self._disk = sum(one.size for one in stored_files(self._folder))
            self._disk_at = time.monotonic()
        return self._disk
