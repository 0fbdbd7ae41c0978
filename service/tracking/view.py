"""The MLflow view of a running sweep. Nothing here waits for MLflow, but `finished_trials` and `close`."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from service.config.sweep import SweepSpec
from service.record.rows import Metrics
from service.storage.paths import StoragePath
from service.tracking.drawing import Artifacts, made
from service.tracking.outbox import Job, Outbox, Point
from service.tracking.store import Store, sweep_id

HURRY = 2.0
"""Seconds that what waits is logged for when a sweep is cancelled,"""
LAST_PATIENCE = 5.0
"""and how long the store may take then to say anything at all."""
UNREACHED_PATIENCE = 20.0
"""How long one may take at the end that has not said anything all the time."""
HELD = 20.0
"""Seconds at most that MLflow waits for the first epoch: until then workers need what its database takes."""


class MlflowView:
    """The only one that writes to MLflow about a sweep. Everything may be told again: nothing is doubled.

    While the store cannot be reached, what is told waits, and the sweep goes on. What has not reached the
    store when the process ends can be told again by the next one: see `finished_trials`.
    """

    def __init__(self, connect: Callable[[], Store], retry_seconds: float) -> None:
        self._connect = connect
        self._store: Store | None = None
        self._outbox = Outbox(
            lambda trial, points: self._at().log(trial, points), self._is_well, retry_seconds
        )
        self._outbox.put(Job("the sweep", None, self._at))
        self._late = threading.Timer(HELD, self._outbox.begin)
        self._late.daemon = True
        self._late.start()

    @classmethod
    def open(
        cls, runs: StoragePath, spec: SweepSpec, sweep_folder: StoragePath, *, retry_seconds: float = 10.0
    ) -> Self:
        """Begin, or take up, the view of a sweep.

        Args:
            runs: folder of all sweeps and of the embedded store, used unless another is named.
            spec: the sweep.
            sweep_folder: the sweep's own folder; keeps an identity by which its runs are found again.
            retry_seconds: pause between attempts while the store cannot be reached.
        """
        identity = sweep_id(sweep_folder)
        return cls(lambda: Store(runs, spec, identity), retry_seconds)

    @property
    def lost(self) -> int:
        """How much of what was told was given up."""
        return self._outbox.lost

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """A trial begins, or goes on; `params` are all its fields, at most 100."""
        fields = dict(params)
        start = Job(f"start of trial {trial}", trial, lambda: self._at().start(trial, fields))
        self._outbox.put(start)  # that is no reason yet to begin

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """A trial finished an epoch. Values that are not finite are left out."""
        self._outbox.put_points(trial, _points(epoch, metrics))
        self._begin()

    def trial_finished(
        self,
        trial: int,
        state: str,
        reason: str | None,
        epoch: int,
        metrics: Metrics,
        artifacts: Artifacts | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        """A trial is over, in `state` (see the table `trials`), with final `metrics` as of `epoch`.

        Of `origin`, a row of `trials`, the columns that tell under what it was run become tags.
        """
        points = _points(epoch, metrics)

        def finish(store: Store) -> None:
            if store.is_under_way(trial):
                files = made(artifacts, f"trial {trial}") if artifacts else {}
                store.finish(trial, state, reason, points, files, origin or {})

        self._put(f"end of trial {trial}", trial, finish)

    def add_artifacts(self, trial: int, artifacts: Artifacts) -> None:
        """Add files to a trial, finished or not."""
        self._put(
            f"files of trial {trial}",
            trial,
            lambda store: store.add_artifacts(trial, made(artifacts, f"trial {trial}")),
        )

    def add_to_sweep(self, artifacts: Artifacts) -> None:
        """Add files to the run of the sweep; one of the same name is replaced."""
        self._put(
            "files of the sweep", None, lambda store: store.add_artifacts(None, made(artifacts, "the sweep"))
        )

    def note(self, text: str) -> None:
        """Describe the sweep in Markdown, on the page of its run."""
        self._put("description of the sweep", None, lambda store: store.note(text))

    def finished_trials(self, patience: float = 120.0) -> set[int] | None:
        """Trials that MLflow has in full; None if it does nothing for `patience` seconds.

        What it lacks should be told again, beginning with `trial_started`.
        """
        answer: list[set[int]] = []
        self._put("a question", None, lambda store: answer.append(store.finished_trials))
        return answer[0] if self._outbox.wait(lambda: bool(answer), patience) else None

    def close(
        self, state: str, patience: float = 60.0, progress: Callable[[int], object] | None = None
    ) -> None:
        """The sweep ends, in `state`: `complete`, `failed` or `cancelled`. Waits until all is logged.

        Whoever has cancelled it wants to be gone: then only a few seconds, and the rest is told on resume.

        Args:
            state: how it ends.
            patience: give up after so many seconds in which nothing could be logged.
            progress: told several times a second how much still waits.
        """
        if state == "cancelled":
            self._outbox.hurry(HURRY)
            patience = min(patience, LAST_PATIENCE)
        elif self._outbox.unreached:
            patience = min(patience, UNREACHED_PATIENCE)
        self._put("end of the sweep", None, lambda store: store.finish_sweep(state))
        self._outbox.close(patience, progress)

    def skip(self, state: str) -> None:
        """End the sweep in `state` without what still waits, which the next process is to tell again."""
        self._outbox.hurry(HURRY)
        self._put("end of the sweep", None, lambda store: store.finish_sweep(state))
        self._outbox.close(LAST_PATIENCE)

    def _put(self, what: str, trial: int | None, act: Callable[[Store], object]) -> None:
        self._outbox.put(Job(what, trial, lambda: act(self._at())))
        self._begin()

    def _begin(self) -> None:
        self._late.cancel()
        self._outbox.begin()

    def _at(self) -> Store:
        if self._store is None:
            self._store = self._connect()
        return self._store

    def _is_well(self) -> bool:
        """Connect anew, which also finds out what a command that failed half-way has left."""
        self._store = None
        try:
            self._at()
        except Exception:
            return False
        return True


def _points(epoch: int, metrics: Metrics) -> list[Point]:
    now = time.time_ns() // 1_000_000
    values = {
        name: value
        for metric, (mean, sem) in metrics.items()
        for name, value in ((metric, mean), (f"{metric}_sem", sem))
        if value is not None and math.isfinite(value)
    }
    return [Point(name, float(value), epoch, now) for name, value in values.items()]
