"""What batch systems, containers and ssh leave a process without, put right before anything else is done."""

import os

from model.caches import spare_home
from service.execution.terminal import open_standard_streams

LOOPBACK = ("localhost", "127.0.0.0/8", "127.0.0.1", "::1")


def put_right() -> None:
    """Open standard streams that were closed, do without a home, and talk to this machine without a proxy.

    Processes that are started from here inherit all three.
    """
    open_standard_streams()
    spare_home()
    _spare_proxy()


def _spare_proxy() -> None:
    """Programs heed `no_proxy`, and most of them that alone: also 127.0.0.1 goes to a proxy that is set."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if named.strip() == "*":  # none at all, as long as it stands alone
        return
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    text = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])
    os.environ.update(no_proxy=text, NO_PROXY=text)
