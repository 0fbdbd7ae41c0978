"""How large libraries are loaded and left, so that nobody waits for the garbage collector meanwhile.

It looks through all that the libraries define, several times while they are loaded and once more when the
process ends. There is no garbage in it: a sixth of the time to load torch, Ray and MLflow, and a second or
more at the end, are spent in vain.
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import within."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def leave_at_once() -> None:
    """When this process ends, what is still there is left to the operating system."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
