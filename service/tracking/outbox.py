"""Work that is done later, on a thread of its own, as soon as the store on the other side can be reached."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from service.errors import PolychronyError
from service.text import redact, shortened

logger = logging.getLogger(__name__)

FLUSH_POINTS = 500
FLUSH_SECONDS = 5.0
MOST_WAITING = 200_000
"""In an outage that long the metrics of further epochs are given up, before memory is."""


class Point(NamedTuple):
    """One value of a metric."""

    key: str
    value: float
    step: int
    timestamp: int
    """Milliseconds since 1970."""


class Job(NamedTuple):
    """Something to do; it may be done again if it failed half-way."""

    what: str
    """In words, for a message."""
    trial: int | None
    """The points of this trial are logged before."""
    act: Callable[[], object]


class _Points(NamedTuple):
    trial: int
    points: list[Point]


class Outbox:
    """Jobs and metrics in the order in which they were put in; putting in never waits.

    While the store cannot be reached nothing is lost: the job at hand is tried again and the others wait. A
    job that the store refuses, though it is well, is reported and given up.
    """

    def __init__(
        self,
        log: Callable[[int, list[Point]], object],
        is_well: Callable[[], bool],
        retry_seconds: float,
    ) -> None:
        """What is put in waits until `begin`.

        Args:
            log: logs points of a trial.
            is_well: whether the store can be reached and works; asked after a failure.
            retry_seconds: pause between two attempts to reach the store.
        """
        self._log, self._is_well, self._retry_seconds = log, is_well, retry_seconds
        self._queue: queue.Queue[Job | _Points | None] = queue.Queue()
        self._points: dict[int, list[Point]] = {}
        self._oldest: float | None = None
        self._abandoned = threading.Event()
        self._out_of_reach = False
        self._done = self._refused = self._overflow = 0
        self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
        self._begun = threading.Lock()

    @property
    def waiting(self) -> int:
        """Jobs and epochs that are still to be dealt with."""
        return self._queue.qsize()

    @property
    def unreached(self) -> bool:
        """Whether the store was asked, and has never answered yet."""
        return self._out_of_reach and not self._done

    @property
    def lost(self) -> int:
        """Jobs and epochs that were given up."""
        return self._refused + self._overflow + (self.waiting if self._abandoned.is_set() else 0)

    def begin(self) -> None:
        """Start the thread, if it has not started yet."""
        if self._begun.acquire(blocking=False):
            self._thread.start()

    def put(self, job: Job) -> None:
        """Have a job done."""
        self._queue.put(job)

    def put_points(self, trial: int, points: list[Point]) -> None:
        """Have metrics logged, together with others that come soon."""
        if self.waiting < MOST_WAITING:
            self._queue.put(_Points(trial, points))
        else:
            self._overflow += 1

    def hurry(self, seconds: float) -> None:
        """Go on for so long, and drop what is still waiting then; what is put in afterwards is done."""
        until = time.monotonic() + seconds
        while self.waiting and time.monotonic() < until:
            time.sleep(0.05)
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()

    def wait(
        self, over: Callable[[], bool], patience: float, progress: Callable[[int], object] | None = None
    ) -> bool:
        """Wait until it is over, or until nothing was done for `patience` seconds; returns whether it is.

        Args:
            over: whether it is.
            patience: see above.
            progress: told again and again how much waits.
        """
        done, since = self._done, time.monotonic()
        while not over() and time.monotonic() < since + patience:
            self._thread.join(0.1)
            if progress is not None:
                progress(self.waiting)
            if self._done != done:
                done, since = self._done, time.monotonic()
        return over()

    def close(self, patience: float, progress: Callable[[int], object] | None = None) -> None:
        """Wait until all is done, or until nothing was done for `patience` seconds.

        Args:
            patience: see above.
            progress: told again and again how much waits.
        """
        self._queue.put(None)
        if not self.wait(lambda: not self._thread.is_alive(), patience, progress):
            self._abandoned.set()
            logger.warning(
                "MLflow did not answer for %g s; %d entries were not logged; resume the sweep later",
                patience,
                self.lost,
            )

    def _run(self) -> None:
        while not self._abandoned.is_set():
            try:
                item = self._queue.get(timeout=self._time_left())
            except queue.Empty:
                self._flush()
                continue
            if item is None:
                self._flush()
                return
            if isinstance(item, _Points):
                self._collect(item)
            else:
                if item.trial is not None:
                    self._log_points(item.trial)
                self._perform(item)
            if self._time_left() == 0 or sum(map(len, self._points.values())) >= FLUSH_POINTS:
                self._flush()
            self._done += 1

    def _collect(self, item: _Points) -> None:
        self._points.setdefault(item.trial, []).extend(item.points)
        if self._oldest is None:
            self._oldest = time.monotonic()

    def _time_left(self) -> float | None:
        """Seconds until the points that were collected are due; None without points."""
        if self._oldest is None:
            return None
        return max(0.0, self._oldest + FLUSH_SECONDS - time.monotonic())

    def _flush(self) -> None:
        for trial in list(self._points):
            self._log_points(trial)
        self._oldest = None

    def _log_points(self, trial: int) -> None:
        points = self._points.pop(trial, [])
        if points:
            self._perform(Job(f"metrics of trial {trial}", trial, lambda: self._log(trial, points)))

    def _perform(self, job: Job) -> None:
        attempts = 0
        while not self._abandoned.is_set():
            try:
                job.act()
            except Exception as error:
                if not self._is_well():
                    self._report(error)
                    self._abandoned.wait(self._retry_seconds)
                    continue
                attempts += 1
                if attempts == 2:
                    self._refused += 1
                    logger.warning("MLflow: %s could not be logged: %s", job.what, brief(error))
                    return
            else:
                if self._out_of_reach:
                    logger.warning("MLflow answers again; what waited is logged now")
                self._out_of_reach = False
                return

    def _report(self, error: Exception) -> None:
        if not self._out_of_reach:
            logger.warning(
                "MLflow cannot be used at the moment: %s. The sweep goes on; what there is to log waits",
                brief(error),
            )
        self._out_of_reach = True


def brief(error: Exception) -> str:
    """An error in one line, without passwords.

    >>> brief(ValueError("no answer from http://me:secret@host:1\\nTraceback"))
    'ValueError: no answer from http://host:1'
    """
    # SQLAlchemy says in a line before what it was about.
    lines = [line for line in str(error).splitlines() if not line.startswith("(raised as a result of")]
    kind = "" if isinstance(error, PolychronyError) else f"{type(error).__name__}: "
    return shortened(redact(kind + (lines[0] if lines else "")))
