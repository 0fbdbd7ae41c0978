"""The Ray that runs the trials: one of this process's own, or a running cluster that it joins."""

import _thread
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from service.errors import SweepError
from service.execution._ray_internals import STARTS, TOO_SLOW, own_token, start_ray
from service.execution.ending import leave_ray
from service.execution.signals import notices_blocked
from service.storage.layout import sweep_file
from service.storage.paths import StoragePath
from service.version import code_version

WATCH_SECONDS = 3.0
"""Between two looks at the cluster."""
LOST_SECONDS = 20.0
"""A head that does not answer for so long is lost, and after as long again the process ends."""
NODE_SECONDS = 180.0
"""How long its nodes may take to start a worker, with all that the job brings."""
CORES_SECONDS = 600.0
"""How long a cluster may have no cores at all: those of Kubernetes begin with a head without any."""

BUSY = (
    f"its processes took more than 30 s to come up, {STARTS} times; this machine is too busy; run the same "
    "command again when it is less so"
)


@contextmanager
def local_ray(scratch: Path) -> Iterator[None]:
    """A Ray on this machine, for as long as the block runs. Raises SweepError if it can't be started."""
    with own_token():
        try:
            try:
                with notices_blocked():
                    start_ray(
                        address="local",
                        include_dashboard=False,
                        log_to_driver=False,
                        logging_level=logging.ERROR,
                        _temp_dir=str(scratch / "ray"),
                    )
            except Exception as error:  # for want of time Ray raises just that
                said = BUSY if TOO_SLOW in str(error) else _in_a_line(error)
                raise SweepError(f"Ray could not be started: {said}") from error
            yield
        finally:
            leave_ray()


@contextmanager
def connected_ray(address: str, folder: StoragePath) -> Iterator[None]:
    """A running cluster, joined for as long as the block runs.

    Args:
        address: `auto`, or HOST:PORT of its head; see `service.execution.address.check_reachable`.
        folder: of a sweep, which its nodes have to see.

    Raises:
        SweepError: if it can't be joined, or its nodes can't run the sweep.
    """
    try:
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            fault = f"--address {address}: the cluster can't be joined: {_in_a_line(error)}"
            raise SweepError(fault) from error
        _await_cores()
        _check_nodes(folder)
        yield
    finally:
        leave_ray()


class ClusterMonitor:
    """Looks after the Ray that this process is connected to, from a thread of its own.

    `cores` are those of each node that is there. If Ray itself is lost, its head or the node that this
    process is on, `lost` says so and the main thread is interrupted: left alone, Ray would end the process
    after a minute, without a word.
    """

    def __init__(self) -> None:
        context = ray.get_runtime_context()
        self._head, self._node = context.gcs_address, context.get_node_id()
        self.cores: list[int] = []
        self.lost: str | None = None
        self._see()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cluster monitor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more; to be called while Ray is still connected."""
        self._over.set()
        self._thread.join(2 * WATCH_SECONDS)

    def _run(self) -> None:
        well = time.monotonic()
        while not self._over.wait(WATCH_SECONDS):
            if self._see():
                well = time.monotonic()
            elif time.monotonic() > well + LOST_SECONDS:
                self._give_up()
                return

    def check(self) -> None:
        """Raises SweepError if the head does not answer at this moment."""
        if not self._answers():
            raise SweepError(self._loss())

    def _answers(self) -> bool:
        host, _, port = self._head.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=WATCH_SECONDS).close()
        except OSError:
            return False
        return True

    def _see(self) -> bool:
        """Count the cores; returns whether all is well."""
        if not self._answers():  # a question would take until it is back, or for ever
            return False
        try:
            nodes = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
        except RayError:
            return False
        self.cores = [int(resources.get("CPU", 0)) for resources in nodes.values()]
        return self._node in nodes

    def _loss(self) -> str:
        return f"the Ray cluster at {self._head} is lost; run the same command again when there is one"

    def _give_up(self) -> None:
        self.lost = self._loss()
        _thread.interrupt_main()
        if not self._over.wait(LOST_SECONDS):  # it waits for what will never come
            os.write(2, f"polychrony: {self.lost}\n".encode())
            os._exit(1)


@contextmanager
def monitored() -> Iterator[ClusterMonitor]:
    """A watch over Ray, for as long as the block runs. Raises SweepError if Ray is lost meanwhile."""
    monitor = ClusterMonitor()
    try:
        yield monitor
    except (KeyboardInterrupt, Exception) as error:
        if monitor.lost is not None:
            raise SweepError(monitor.lost) from error
        raise
    finally:
        monitor.close()


@ray.remote(num_cpus=0, max_retries=0)
def _look(folder: StoragePath) -> tuple[bool, str]:
    """What a node sees: whether the sweep is there, and the version of the code."""
    return sweep_file(folder).exists(), code_version()


def _await_cores() -> None:
    """Wait for the first node that has any: it may join a little later than its head can be asked."""
    until = time.monotonic() + CORES_SECONDS
    while not any(node["Alive"] and node["Resources"].get("CPU") for node in ray.nodes()):
        if time.monotonic() > until:
            raise SweepError(f"no node with cores has joined the cluster for {CORES_SECONDS:g} s; start one")
        time.sleep(1)


def _check_nodes(folder: StoragePath) -> None:
    """Ask every node, once, for what would fail each trial there."""
    looks = {}
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            looks[node["NodeID"]] = _look.options(scheduling_strategy=there).remote(folder)
    ray.wait(list(looks.values()), num_returns=len(looks), timeout=NODE_SECONDS)
    names = {node["NodeID"]: node["NodeName"] for node in ray.nodes()}
    faults = [
        f"node {names[node]}: {fault}" for node, look in looks.items() if (fault := _fault(look, folder))
    ]
    if faults:
        raise SweepError("the cluster can't run the sweep:\n" + "\n".join(faults))


def _fault(look: "ray.ObjectRef[tuple[bool, str]]", folder: StoragePath) -> str | None:
    """Why a node is of no use, or None."""
    try:
        seen, version = ray.get(look, timeout=0)
    except GetTimeoutError:
        return f"starts no worker within {NODE_SECONDS:g} s; look into its logs"
    except RayTaskError as error:
        reason = _in_a_line(error.cause or error)
        return f"can't load the code ({reason}); install polychrony there, or submit the sweep"
    except RayError:  # it has gone meanwhile
        return None
    if not seen:
        return unseen(folder)
    if version != code_version():
        return f"has polychrony {version}, here it is {code_version()}; install the same"
    return None


def unseen(folder: StoragePath) -> str:
    """What to say on a node that does not have the sweep's `folder`."""
    return f"{folder} is not there; the folder of `--out` must lie on storage that all nodes share"


def _in_a_line(error: BaseException) -> str:
    """An error in a line: its last, where Python says what it was."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
