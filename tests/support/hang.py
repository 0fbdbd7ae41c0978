"""How long tests wait for what others do: so long that only what hangs is not done by then.

A test must not fail because its machine has other things to do. So it waits for events, and the limit here
ends what will never come; `timeout` of pytest, the same for all tests, is longer still.
"""

import time
from collections.abc import Callable

HANG_SECONDS = 1500.0


def await_that(holds: Callable[[], bool], what: str) -> None:
    """Wait until `holds()`; raises AssertionError saying `what` did not come about, if it never does."""
    until = time.monotonic() + HANG_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.05)
