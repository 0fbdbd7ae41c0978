"""A Ray cluster of several nodes on this machine, each with its own raylet, that can be killed one by one."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from hang import HANG_SECONDS, await_that

RAY = [sys.executable, "-P", "-m", "ray.scripts.scripts"]
SPARE = ["--disable-usage-stats", "--include-log-monitor=false", "--node-ip-address=127.0.0.1"]


class Node:
    """A node: `ray start` in a session of its own, so that all its processes die together."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*RAY, "start", *arguments, *SPARE, "--block"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self.session = self._process.pid
        self._wait_for_start()

    def kill(self) -> None:
        """As if the machine lost its power."""
        kill_session(self._process)

    def _wait_for_start(self) -> None:
        def started() -> bool:
            said = self._log.read_text()
            assert self._process.poll() is None, f"no node of Ray: {said[-2000:]}"
            return "Ray runtime started" in said

        try:
            await_that(started, "Ray does not start")
        except BaseException:
            self.kill()
            raise


class Cluster:
    """A head and any number of other nodes, with a token that nobody else has."""

    def __init__(self, head_cpus: int = 1, **environment: str) -> None:
        """Start the head. `environment` is that of all processes on the nodes, workers included."""
        # Short: the path of a Unix socket may have 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="rc"))
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_raylet_start_wait_time_s": str(int(HANG_SECONDS)),  # on a machine that has much else to do
            **environment,
        }
        self._head_cpus, self._port = head_cpus, _free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._count = 0
        self.nodes: list[Node] = []
        self.start_head()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        for node in [*self.nodes, self.head]:
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_head(self) -> None:
        """Start the head, at the same address after it was lost; it knows nothing of before."""
        head = ["--head", f"--port={self._port}", "--include-dashboard=false", "--no-monitor"]
        self.head = self._node([*head, f"--num-cpus={self._head_cpus}"])

    def add_node(self, cpus: int = 1) -> Node:
        """Start another node."""
        node = self._node([f"--address={self.address}", f"--num-cpus={cpus}"])
        self.nodes.append(node)
        return node

    def kill_node(self, node: Node) -> None:
        """Lose a node."""
        self.nodes.remove(node)
        node.kill()

    def kill_head(self) -> None:
        """Lose the head, and the other nodes, which end without one."""
        self.head.kill()
        for node in [*self.nodes]:
            self.kill_node(node)

    def sessions(self) -> set[int]:
        """The sessions that the processes of all nodes belong to."""
        return {node.session for node in [self.head, *self.nodes]}

    def _node(self, arguments: list[str]) -> Node:
        self._count += 1
        place = [f"--temp-dir={self._folder / 'ray'}"] if "--head" in arguments else []
        log = self._folder / f"{self._count}.log"
        return Node([*arguments, *place], log, self.environment)


def processes(sessions: set[int]) -> list[tuple[int, str]]:
    """Processes of those sessions: number and command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, session = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            if state != "Z" and int(session) in sessions:
                found.append((int(place.name), (place / "cmdline").read_bytes().decode(errors="replace")))
    return found


def kill_session(leader: subprocess.Popen[Any]) -> None:
    """End all processes of a session at once, without notice."""
    while left := processes({leader.pid}):
        for pid, _ in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    leader.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
