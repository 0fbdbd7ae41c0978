"""Signals by which people, machines, services and clusters end processes: the first one, and the second.

What becomes of each stands in docs/reliability.md.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from service.execution.terminal import let_go_of_terminal

PAUSE = 1.0
"""A second signal that follows sooner is the same one, sent to the process and to its group (s)."""
ASKED = (signal.SIGINT, signal.SIGTERM)
NOTICES = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
"""The terminal is gone, or a batch system says that the time is nearly up."""
_first = 0.0
_held = _came = False


def install_signal_handlers() -> None:
    """From now on the first signal raises KeyboardInterrupt, another one ends the process with exit code 130.

    A notice that is ignored, as `nohup` has it, stays ignored. `ray.init` undoes a part of this.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in ASKED:
        signal.signal(number, _interrupt)
    for number in NOTICES:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


@contextmanager
def signals_held() -> Iterator[None]:
    """A first signal that arrives while the block runs raises KeyboardInterrupt only at its end."""
    global _held, _came
    _held, _came = True, False
    try:
        yield
    finally:
        _held = False
    if _came:
        raise KeyboardInterrupt


@contextmanager
def notices_blocked() -> Iterator[None]:
    """Processes that are started in the block never get notices, which are often sent to a whole group.

    So it is this process that ends them, when it is done with them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NOTICES)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _first, _came
    if number == signal.SIGHUP:
        let_go_of_terminal()
    now = time.monotonic()
    if not _first:
        _first = now
        if _held:
            _came = True
            return
        raise KeyboardInterrupt
    if now > _first + PAUSE and number not in NOTICES:
        os.write(2, b"interrupted twice: ended at once; run the same command again to go on\n")
        os._exit(130)
