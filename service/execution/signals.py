"""Ctrl-C and SIGTERM, by which machines, services and clusters shut processes down: once, and twice."""

import os
import signal
import threading
import time
from types import FrameType

PAUSE = 1.0
"""A second signal that follows sooner is the same one, sent to the process and to its group (s)."""
_first = 0.0


def install_signal_handlers() -> None:
    """From now on the first signal raises KeyboardInterrupt, another one ends the process with exit code 130.

    `ray.init` undoes a part of it.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _first
    now = time.monotonic()
    if not _first:
        _first = now
        raise KeyboardInterrupt
    if now > _first + PAUSE:
        os.write(2, b"interrupted twice: ended at once; run the same command again to go on\n")
        os._exit(130)
