"""The address of a running Ray cluster, as users give it. Imports no Ray: its settings are read on import."""

import os
import socket
import subprocess
import sys

from service.errors import Fault, SweepError, UserError
from service.text import shortened

ANSWER_SECONDS = 60.0
"""How long a cluster may take to answer, and Ray to be imported for the question."""
MODE = "RAY_AUTH_MODE"


def check_reachable(address: str) -> None:
    """See that a cluster answers at `address`, and have Ray show it the user's token if it asks for one.

    Asked by a process of its own: where something is wrong, Ray waits for minutes and can't be interrupted.

    Raises:
        UserError: if `address` is neither `auto` nor HOST:PORT.
        SweepError: if there is no cluster, or it wants another token.
    """
    _check(address)
    if address != "auto":
        _check_listens(address)
    mode = os.environ.get(MODE)
    refusal = _ask(address, mode or "disabled")
    if mode is None:
        # Showing a token to a cluster that has none is no way out: its answers would be refused here.
        os.environ[MODE] = "token" if refusal is not None else "disabled"
        refusal = refusal and _ask(address, "token")
    if refusal is not None:
        cure = "copy its token to ~/.ray/auth_token on this machine, or set RAY_AUTH_MODE and RAY_AUTH_TOKEN"
        raise SweepError(f"--address {address}: the cluster wants another token; {cure}")


def _check(address: str) -> None:
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS") or address
    host, _, port = address.rpartition(":")
    if address == "auto" or ("/" not in address and host and port.isdecimal()):
        return
    cure = "give HOST:PORT of the cluster's head, such as 10.0.0.1:6379, or `auto` on one of its nodes"
    if "://" in address:
        cure += "; the URL of its dashboard is for `polychrony submit`"
    raise UserError([Fault("--address", address, f"is no address of a Ray cluster; {cure}")])


def _check_listens(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise SweepError(f"--address {address}: nothing answers there ({error}); {_CURE}") from error


def _ask(address: str, mode: str) -> str | None:
    """Whether the cluster is well; returns what it says if it wants another token."""
    command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "health-check", "--address", address]
    environment = os.environ | {MODE: mode}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SweepError(f"--address {address}: what answers there is no Ray cluster; {_CURE}") from error
    if not done.returncode:
        return None
    said = shortened((done.stderr.strip() or "it is not well").splitlines()[-1])
    if "AuthenticationError" in said:
        return said
    raise SweepError(f"--address {address}: the cluster can't be joined ({said}); {_CURE}")


_CURE = "start it (`ray start --head`), or give the address of its head"
