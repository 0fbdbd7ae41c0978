"""What batch systems, containers and ssh leave a process without, put right before anything else is done."""

import os
import sys

from model.caches import spare_home

LOOPBACK = ("localhost", "127.0.0.0/8", "127.0.0.1", "::1")


def put_right() -> None:
    """Open standard streams that were closed, do without a home, and talk to this machine without a proxy.

    Processes that are started from here inherit all three.
    """
    _open_streams()
    spare_home()
    _spare_proxy()


def _open_streams() -> None:
    """Where a standard stream is closed, the next file to be opened would take its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w"))


def _spare_proxy() -> None:
    """Programs heed `no_proxy`, and most of them that alone: also 127.0.0.1 goes to a proxy that is set."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if named.strip() == "*":  # none at all, as long as it stands alone
        return
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    text = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])
    os.environ.update(no_proxy=text, NO_PROXY=text)
