"""Pictures are drawn beside the trials, whether or not there is an MLflow that can show them."""

import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress

from service.storage.paths import StoragePath
from service.tracking.outbox import brief

logger = logging.getLogger(__name__)

Artifacts = Callable[[], Mapping[str, bytes | StoragePath]]
"""Makes files, by name: what is in them, or where they lie."""

MOST_PROCESSES = 4
START_SECONDS, PAGE_SECONDS, FIGURES_SECONDS = 4.0, 1.5, 4.0
"""Processor time until a process can draw, of a page with its probes, and of the figures of the sweep."""


class Drawer:
    """Draws one after the other, in the order in which it is asked to."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "pictures")
        self.asked = self.done = 0
        """How many times it was asked, and how many of these are over."""

    def draw(self, files: Artifacts, what: str) -> Artifacts:
        """Have the files of `what` drawn.

        Returns what waits for them; it raises CancelledError if they are not drawn any more. They are made
        again then, which is nothing for what is kept in a folder: here they would fill the memory while
        MLflow can't be reached.
        """
        drawn = self._thread.submit(lambda: bool(made(files, what)))
        self.asked += 1
        drawn.add_done_callback(self._note)
        return lambda: files() if drawn.result() else {}

    def _note(self, drawn: Future[bool]) -> None:
        self.done += 1

    def close(self, *, at_once: bool) -> None:
        """Wait until all is drawn; `at_once`: only what is being drawn, and the rest never."""
        self._thread.shutdown(cancel_futures=at_once)


def draw_side_by_side(pages: Sequence[Artifacts], drawn: Callable[[int], object]) -> None:
    """Have pages drawn into the sweep's folder by several processes, when no trial needs the cores any more.

    What fails there is passed over: whoever asks for the page next draws it here, and says why it can't be.

    Args:
        pages: each keeps what it has drawn in files, which any process of this machine can write.
        drawn: told how many are done, from 0 on.
    """
    from joblib import Parallel, delayed

    drawn(0)
    processes = min(processes_at_most(), len(pages))
    if processes < 2:
        for done, page in enumerate(pages, 1):
            _try(page)
            drawn(done)
        return
    # Processes that have nothing more to do go away by themselves, also if this one was killed.
    pool = Parallel(processes, backend="loky", return_as="generator_unordered", idle_worker_timeout=5)
    for done, _ in enumerate(pool(delayed(_draw_elsewhere)(page) for page in pages), 1):
        drawn(done)


def processes_at_most() -> int:
    """How many draw at a time: one a core that this process may use, and not more than MOST_PROCESSES."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def ending_seconds(pages: int) -> float:
    """About how long all takes that is drawn when the last trial is over, by the number of leaders' pages."""
    processes = max(1, min(processes_at_most(), pages))
    return START_SECONDS + (pages * PAGE_SECONDS + FIGURES_SECONDS) / processes


def _draw_elsewhere(page: Artifacts) -> None:
    """In a process of its own, which ctrl-C reaches as well: whoever waits for it decides what that means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _try(page)


def _try(page: Artifacts) -> None:
    with suppress(Exception):
        page()


def made(artifacts: Artifacts, what: str) -> Mapping[str, bytes | StoragePath]:
    """The files of `what`; if they can't be made that is said, and there are none."""
    try:
        return artifacts()
    except CancelledError:
        raise
    except Exception as error:
        logger.warning("no pictures of %s: %s", what, brief(error))
        return {}
