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
from service.record.leaders import PROBED, Extreme, extremes, extremes_text
from service.record.rows import FinishedTrial, Metrics
from service.report.leader_pages import ending_seconds
from service.text import duration

STARTING = "starting Ray and its workers"
LOADING = "workers load torch and the data, and compile kernels if this machine has not done so before"
STATE_STYLES = {
    "complete": "green",
    "pruned": "yellow",
    "failed": "red",
    "timed_out": "red",
}


class Progress:
    """Listens to the controller and shows how far the sweep is. Use it as a context manager."""

    def __init__(
        self,
        spec: SweepSpec,
        finished: list[dict[str, Any]],
        planned: int,
        console: Console,
        *,
        each_epoch: bool = False,
    ) -> None:
        """Begin with what is known.

        Args:
            spec: the sweep.
            finished: its rows of `trials` so far.
            planned: how many trials it is to have.
            console: where to show it.
            each_epoch: whether each epoch of each trial has a line, too.
        """
        self._each_epoch = each_epoch
        self._spec, self._planned, self._console = spec, planned, console
        self._states = Counter(row["state"] for row in finished)
        self._rows: list[Mapping[str, Any]] = list(finished)
        self._best: tuple[int, dict[str, Extreme]] = (0, {})
        self._before = len(finished)
        self._started = time.monotonic()
        self._at_once = 1
        self._epoch_seen = False
        self._epochs: dict[int, int] = {}
        self._running: dict[int, tuple[int, Metrics]] = {}
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        self._say(STARTING)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def _say(self, text: str) -> None:
        """A line for where there is no terminal, on which the live table shows as much."""
        if not self._console.is_terminal:
            self._console.print(text, highlight=False)

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """Show it among those that run."""
        if not (self._running or self._epoch_seen):
            self._say(LOADING)
        self._running[trial] = (0, {})
        self._at_once = max(self._at_once, len(self._running))
        if "epochs" in params:
            self._epochs[trial] = params["epochs"]

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """Show its last values."""
        if not self._epoch_seen:
            self._epoch_seen = True
            self._say(f"first epoch after {duration(time.monotonic() - self._started)}")
        self._running[trial] = (epoch, metrics)
        if self._each_epoch:
            names = (*(one.metric for one in self._spec.objectives), "loss")
            known = [f"{name} {metrics[name][0]:.4g}" for name in dict.fromkeys(names) if name in metrics]
            of = f"/{self._epochs[trial]}" if trial in self._epochs else ""
            self._console.print(", ".join([f"trial {trial} epoch {epoch}{of}", *known]), highlight=False)

    def trial_finished(self, finished: FinishedTrial) -> None:
        """Count it."""
        row = finished.row
        self._running.pop(row["trial"], None)
        self._states[row["state"]] += 1
        self._rows.append(row)
        self._console.print(self._line(row), highlight=False, soft_wrap=not self._console.is_terminal)

    def worker_idle(self, running: int) -> None:
        """Nothing that is shown."""

    @property
    def _finished(self) -> int:
        return self._states.total()

    @property
    def best(self) -> dict[str, Extreme]:
        """The best of each objective so far, by metric, within the constraints."""
        if self._best[0] != len(self._rows):  # it is looked at more often than it changes
            found = extremes(self._rows, self._spec.objectives, self._spec.constraints)
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
        of = "" if self._spec.open_ended else total  # of a population nobody knows it before
        return f"[{self._finished}{of}] " + ", ".join(part for part in parts if part)

    def _pace(self) -> str:
        """Time left, once there is something to go by."""
        left = None if self._spec.open_ended else self._seconds_left()
        return "" if left is None else f"about {duration(left)} left, pictures included"

    def _seconds_left(self) -> float | None:
        """Time that is still needed: trials, by the seconds of finished ones and how many run at once, and
        what is drawn after the last of them: the front and the best PROBED, some twice as many together.

        What was needed once, to start workers and to compile kernels, does not count for what is to come.
        """
        known = [row["seconds"] for row in self._rows if row.get("seconds")]
        if not known:
            return None
        parts = [epoch / self._epochs[n] for n, (epoch, _) in self._running.items() if self._epochs.get(n)]
        trials = max(0.0, self._planned - self._finished - sum(parts))
        return float(trials * sum(known) / len(known) / self._at_once) + ending_seconds(
            min(self._planned, 2 * PROBED)
        )

    def _render(self) -> RenderableType:
        spec = self._spec
        head = Table.grid(padding=(0, 2))
        states = [
            Text(f"{n} {state}", STATE_STYLES.get(state, "")) for state, n in sorted(self._states.items())
        ]
        bar = ProgressBar(total=self._planned, completed=self._finished, width=30)
        counted = Text(f"{self._finished}/{self._planned}")
        head.add_row(
            Text(spec.name, "bold"),
            bar,
            counted,
            *states,
            Text(f"{duration(time.monotonic() - self._started)}, {self._pace()}".rstrip(", "), "dim"),
        )
        best = Text(f"best: {extremes_text(self.best) or 'none yet'}")
        parts: list[RenderableType] = [head, best, self._table()]
        if waiting := self._waiting():
            parts.append(Text(waiting, "dim"))
        return Group(*parts)

    def _waiting(self) -> str:
        """What is waited for as long as no epoch is over."""
        if self._finished > self._before or any(epoch for epoch, _ in self._running.values()):
            return ""
        if not self._running:
            return f"{STARTING} ({duration(time.monotonic() - self._started)})"
        return f"{LOADING} ({duration(time.monotonic() - self._started)})"

    def _table(self) -> Table:
        metrics = list(dict.fromkeys([o.metric for o in self._spec.objectives] + ["loss", "rate", "silent"]))
        table = Table("trial", "epoch", *metrics, box=None, header_style="bold", padding=(0, 2))
        for trial, (epoch, values) in sorted(self._running.items()):
            known = [f"{values[name][0]:.4g}" if name in values else "" for name in metrics]
            of = f"/{self._epochs[trial]}" if trial in self._epochs else ""
            table.add_row(str(trial), f"{epoch}{of}", *known)
        return table
