"""Pictures are drawn beside the trials, whether or not there is an MLflow that can show them."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from service.storage.paths import StoragePath
from service.tracking.outbox import brief

logger = logging.getLogger(__name__)

Artifacts = Callable[[], Mapping[str, bytes | StoragePath]]
"""Makes files, by name: what is in them, or where they lie."""


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


def made(artifacts: Artifacts, what: str) -> Mapping[str, bytes | StoragePath]:
    """The files of `what`; if they can't be made that is said, and there are none."""
    try:
        return artifacts()
    except CancelledError:
        raise
    except Exception as error:
        logger.warning("no pictures of %s: %s", what, brief(error))
        return {}
