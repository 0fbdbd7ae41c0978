"""Kills whatever a sweep runs on, again and again.

A `Scene` has all of it on this machine: a Ray cluster of a head and two nodes, an MLflow server, and a
driver, which is `polychrony run`. Each of `ACTS` does one harm, and mends what a person would have to mend.
Whether anything is lost or doubled is for `audit` to say.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from hang import HANG_SECONDS, await_that
from ray_cluster import Cluster, kill_session, processes

PROGRAM = [sys.executable, "-P", "-c", "from service.cli import main; main()"]

SWEEP = """\
name: chaos
data: {{name: digits}}
learner: {{hidden: {hidden}, epochs: {epochs}, duration: 20.0, dt: 2.0, batch_size: 128, replicates: 2}}
space:
  learner.wiring_cost: {{log: [1e-4, 1e-1]}}
  learner.dimensions: {{choice: [1, 2, 3]}}
  learner.delay_scale: {{uniform: [2, 10]}}
search: {{sampler: random, trials: {trials}, seed: 7}}
objectives: [{{metric: accuracy, goal: max}}, {{metric: wiring_length, goal: min}}]
resources: {{checkpoint: 0.5}}
"""


def spread(scene: "Scene", trials: int, acts: int) -> Callable[[int], bool]:
    """When acts are due so that they are spread over a sweep of so many trials."""
    return lambda number: scene.finished() >= number * (trials - 2) // acts


@dataclass
class Round:
    """What was done to the sweep, when, and what became of its driver."""

    act: str
    finished: int
    """Trials that were finished before."""
    code: int | None
    """Exit code of the driver, if it ended."""
    seconds: float
    """Until all ran again."""


class Server:
    """An MLflow server that can be killed, and comes back at the same address."""

    def __init__(self, folder: Path, store: str) -> None:
        """Start it. `store` is the URI of its database."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = one.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._command = [sys.executable, "-P", "-m", "mlflow", "server", "--host", "127.0.0.1"]
        self._command += ["--port", str(self._port), "--workers", "1", "--backend-store-uri", store]
        self._command += ["--artifacts-destination", (folder / "artifacts").as_uri()]
        self._log = folder / "mlflow.log"
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=os.environ | settings, start_new_session=True
            )
        await_that(self._answers, "the MLflow server")

    def kill(self) -> None:
        """End it at once, with its workers."""
        kill_session(self._process)

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"{self.uri}/health", timeout=5).status == 200)
        return False


class Scene:
    """A sweep and all that it runs on; `close` ends it all."""

    pause, outage = 4.0, 20.0
    """How long it goes on at most between two acts, and how long a server is down at most (s)."""

    def __init__(self, folder: Path, text: str, store: str, seed: int, nodes: int = 2) -> None:
        """Start cluster and server.

        Args:
            folder: where everything is kept.
            text: the sweep file; the sweep's name must be chaos.
            store: the server's database.
            seed: of all that is random here.
            nodes: beside the head, of one core each; 0: the head has two cores itself.
        """
        self.folder, self.store, self.random = folder, store, random.Random(seed)
        (folder / "chaos.yaml").write_text(text)
        self.sweep = folder / "runs" / "chaos"
        self.said = folder / "driver.log"
        self._driver: subprocess.Popen[bytes] | None = None
        with ExitStack() as closing:
            self.server = Server(folder, store)
            closing.callback(self.server.kill)
            root = str(Path(__file__).resolve().parents[2])
            self.cluster = closing.enter_context(
                Cluster(head_cpus=0 if nodes else 2, PYTHONPATH=root, MLFLOW_TRACKING_URI=self.server.uri)
            )
            for _ in range(nodes):
                self.cluster.add_node()
            self._closing = closing.pop_all()

    def close(self) -> None:
        """End all processes."""
        with self._closing:
            if self._driver is not None:
                kill_session(self._driver)

    def start(self) -> None:
        """Start the driver, or start it again; returns when a trial runs."""
        before = self.said.stat().st_size if self.said.exists() else 0
        with self.said.open("ab") as said:
            self._driver = subprocess.Popen(
                [*PROGRAM, "run", "chaos.yaml", "--address", self.cluster.address],
                cwd=self.folder,
                env=self.cluster.environment,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        await_that(lambda: b"trials" in self.said.read_bytes()[before:] or not self.drives, "the driver")

    @property
    def drives(self) -> bool:
        """Whether the driver runs."""
        return self._driver is not None and self._driver.poll() is None

    def end(self, *signals: int) -> int:
        """Send the driver signals, some time apart, and wait for its end; returns its exit code."""
        assert self._driver is not None
        for number in signals:
            with suppress(ProcessLookupError):
                self._driver.send_signal(number)
            if number is not signals[-1]:
                time.sleep(self.random.uniform(1.2, 2.0))
        return self._driver.wait(HANG_SECONDS)

    def finished(self) -> int:
        """Trials that the sweep's tables and log have."""
        from service import Sweep

        with suppress(Exception):  # it is being written
            return len(Sweep(self.sweep).arrow("trials", columns=["trial"]))
        return 0

    def epochs(self) -> int:
        """Epochs of all replicates that its tables have."""
        from service import Sweep

        with suppress(Exception):  # it is being written
            return len(Sweep(self.sweep).arrow("epochs", columns=["trial"]))
        return 0

    def worker(self) -> int | None:
        """A process that runs trials."""
        found = [pid for pid, name in processes(self.cluster.sessions()) if "Trainable" in name]
        return self.random.choice(found) if found else None


def kill_worker(scene: Scene) -> int | None:
    """A worker dies, as for lack of memory."""
    if (pid := scene.worker()) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None


def lose_node(scene: Scene) -> int | None:
    """A node loses its power; another one joins the cluster a while later."""
    scene.cluster.kill_node(scene.random.choice(scene.cluster.nodes))
    time.sleep(scene.random.uniform(0, 5))
    scene.cluster.add_node()
    return None


def kill_driver(scene: Scene) -> int | None:
    """The driver is killed, and started again."""
    code = scene.end(signal.SIGKILL)
    scene.start()
    return code


def interrupt(scene: Scene) -> int | None:
    """Ctrl-C once, then the same command again."""
    code = scene.end(signal.SIGINT)
    scene.start()
    return code


def interrupt_twice(scene: Scene) -> int | None:
    """Ctrl-C twice, then the same command again."""
    code = scene.end(signal.SIGINT, signal.SIGINT)
    scene.start()
    return code


def lose_mlflow(scene: Scene) -> int | None:
    """The MLflow server is killed, and is back a while later."""
    scene.server.kill()
    time.sleep(scene.random.uniform(2, scene.outage))
    scene.server.start()
    return None


def lose_database(scene: Scene) -> int | None:
    """PostgreSQL ends all connections of the MLflow server, as it does when it is restarted."""
    import psycopg

    for _ in range(5):
        with psycopg.connect(scene.store, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        time.sleep(scene.random.uniform(0, 2))
    return None


def lose_head(scene: Scene) -> int | None:
    """The head loses its power, and with it the cluster; both are started again, and the sweep."""
    scene.cluster.kill_head()
    code = scene.end()
    scene.cluster.start_head()
    for _ in range(2):
        scene.cluster.add_node()
    scene.start()
    return code


ACTS: dict[str, tuple[Callable[[Scene], int | None], int | None]] = {
    "worker": (kill_worker, None),
    "node": (lose_node, None),
    "driver": (kill_driver, -signal.SIGKILL),
    "interrupt": (interrupt, 130),
    "interrupt twice": (interrupt_twice, 130),
    "mlflow": (lose_mlflow, None),
    "head": (lose_head, 1),
    "postgresql": (lose_database, None),
}
"""Each with the exit code of the driver that is right."""


def play(
    scene: Scene, acts: list[str], told: Callable[[Round], object], due: Callable[[int], bool]
) -> list[str]:
    """Run the sweep to its end through `acts`, at random moments; returns what went wrong.

    due: whether the sweep has come so far that the act of that number may follow.
    """
    faults: list[str] = []
    scene.start()
    for number, act in enumerate(acts):
        await_that(lambda n=number: due(n) or not scene.drives, f"act {number}")  # type: ignore[misc]
        time.sleep(scene.random.uniform(0, scene.pause))
        if not scene.drives:
            return [*faults, f"before `{act}`: the driver has ended by itself with {scene.end()}"]
        began, finished = time.monotonic(), scene.finished()
        code = ACTS[act][0](scene)
        if code != ACTS[act][1]:
            faults.append(f"after `{act}`: exit code {code}, not {ACTS[act][1]}")
        told(Round(act, finished, code, time.monotonic() - began))
    if (code := scene.end()) != 0:
        faults.append(f"at the end: exit code {code}")
    if b"Traceback" in scene.said.read_bytes():
        faults.append("the driver has said `Traceback`")
    return faults


def left_over(scene: Scene) -> list[str]:
    """Processes of the driver's, or its workers on the nodes, that are still there."""
    assert scene._driver is not None
    drivers = processes({scene._driver.pid})
    workers = [one for one in processes(scene.cluster.sessions()) if "Trainable" in one[1]]
    return [f"process {pid} is left: {name[:80]}" for pid, name in [*drivers, *workers]]
