"""What a sweep is doing, for the eye: a live table on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from service.config.sweep import SweepSpec
from service.record.leaders import best_values
from service.record.rows import FinishedTrial, Metrics
from service.text import duration

STATE_STYLES = {
    "complete": "green",
    "pruned": "yellow",
    "failed": "red",
    "timed_out": "red",
}


class Progress:
    """Listens to the controller and shows how far the sweep is. Use it as a context manager."""

    def __init__(
        self, spec: SweepSpec, finished: list[dict[str, Any]], planned: int, console: Console
    ) -> None:
        """Args: the sweep; its rows of `trials` so far; how many trials it is to have; where to show it."""
        self._spec, self._planned, self._console = spec, planned, console
        self._states = Counter(row["state"] for row in finished)
        self._rows: list[Mapping[str, Any]] = list(finished)
        self._best: tuple[int, dict[str, float]] = (0, {})
        self._before = len(finished)
        self._started = time.monotonic()
        self._running: dict[int, tuple[int, Metrics]] = {}
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """Show it among those that run."""
        self._running[trial] = (0, {})

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """Show its last values."""
        self._running[trial] = (epoch, metrics)

    def trial_finished(self, finished: FinishedTrial) -> None:
        """Count it."""
        row = finished.row
        self._running.pop(row["trial"], None)
        self._states[row["state"]] += 1
        self._rows.append(row)
        if not self._console.is_terminal:
            self._console.print(self._line(row), highlight=False, soft_wrap=True)

    @property
    def _finished(self) -> int:
        return self._states.total()

    @property
    def best(self) -> dict[str, float]:
        """The best value of each objective so far, by metric, within the constraints."""
        if self._best[0] != len(self._rows):  # it is looked at more often than it changes
            found = best_values(self._rows, self._spec.objectives, self._spec.constraints)
            self._best = len(self._rows), found
        return self._best[1]

    def _line(self, row: Mapping[str, Any]) -> str:
        """One finished trial, for where there is no terminal."""
        said = f": {row['reason']}" if row["reason"] else ""
        values = [
            f"{objective.metric} {row[objective.metric]:.4g}"
            for objective in self._spec.objectives
            if row.get(objective.metric) is not None
        ]
        parts = [
            f"trial {row['trial']} {row['state']}{said}",
            *values,
            f"{row['seconds']:.1f} s",
            self._pace(),
        ]
        total = f"/{max(self._planned, self._finished)}"  # leaders come on top
        of = "" if self._spec.search.evolution else total  # of a population nobody knows it before
        return f"[{self._finished}{of}] " + ", ".join(part for part in parts if part)

    def _pace(self) -> str:
        """Rate and time left, once there is something to go by."""
        done, elapsed = self._finished - self._before, time.monotonic() - self._started
        if not done:
            return ""
        pace = f"{60 * done / elapsed:.3g} trials/min"
        if self._spec.search.evolution:
            return pace
        left = max(0, self._planned - self._finished) * elapsed / done
        return f"{pace}, {duration(left)} left"

    def _render(self) -> RenderableType:
        spec = self._spec
        head = Table.grid(padding=(0, 2))
        states = [
            Text(f"{n} {state}", STATE_STYLES.get(state, "")) for state, n in sorted(self._states.items())
        ]
        bar = ProgressBar(total=self._planned, completed=self._finished, width=30)
        counted = Text(f"{self._finished}/{self._planned}")
        head.add_row(Text(spec.name, "bold"), bar, counted, *states, Text(self._pace(), "dim"))
        best = ", ".join(f"{name} {value:.4g}" for name, value in self.best.items())
        parts: list[RenderableType] = [head, Text(f"best: {best or 'none yet'}"), self._table()]
        return Group(*parts)

    def _table(self) -> Table:
        metrics = list(dict.fromkeys([o.metric for o in self._spec.objectives] + ["loss", "rate", "silent"]))
        table = Table("trial", "epoch", *metrics, box=None, header_style="bold", padding=(0, 2))
        for trial, (epoch, values) in sorted(self._running.items()):
            known = [f"{values[name][0]:.4g}" if name in values else "" for name in metrics]
            table.add_row(str(trial), str(epoch), *known)
        return table
