"""Jobs on a real cluster of one node, from a foreign folder and with nothing but the console script."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from hang import HANG_SECONDS, await_that

from service import Sweep

SWEEP = """\
name: small
data: {name: digits}
learner: {hidden: 6, epochs: 200, duration: 20.0, dt: 2.0, batch_size: 256, embedding: none}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}}
search: {sampler: random, trials: 6}
resources: {concurrent: 2}
"""
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and the folder that users of it are in."""

    url: str
    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The console script, running; what it says goes into one stream."""
        command = [str(BIN / "polychrony"), *arguments, "--address", self.url]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def polychrony(self, *arguments: str) -> tuple[int, str]:
        """The exit code and output of the console script."""
        process = self.start(*arguments)
        said, _ = process.communicate()
        return process.returncode, said


def free_ports(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With ports of its own for all that has a fixed one: other clusters may run on this machine."""
    scratch = tempfile.mkdtemp(prefix="plj")  # short, for Unix sockets
    gcs, dashboard, agent, client = free_ports(4)
    ports = {"port": gcs, "dashboard-port": dashboard, "dashboard-agent-listen-port": agent}
    ports |= {"ray-client-server-port": client, "min-worker-port": "0", "max-worker-port": "0"}
    command = [str(BIN / "ray"), "start", "--head", "--block", "--disable-usage-stats", "--num-cpus=2"]
    command += ["--node-ip-address=127.0.0.1", "--include-dashboard=true", f"--temp-dir={scratch}/ray"]
    known = {"PATH": f"{BIN}:{os.environ['PATH']}", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_"))}
    head = subprocess.Popen(
        [*command, *(f"--{name}={port}" for name, port in ports.items())],
        env=clean | known | {"RAY_AUTH_MODE": "token", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"},
        cwd=scratch,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await_port(int(agent))
        folder = tmp_path_factory.mktemp("user")
        (folder / "small.yaml").write_text(SWEEP)
        yield Cluster(f"http://127.0.0.1:{dashboard}", folder, clean | known)
    finally:
        head.send_signal(signal.SIGTERM)
        try:
            head.wait(30)
        finally:
            os.killpg(head.pid, signal.SIGKILL) if head.poll() is None else None
            shutil.rmtree(scratch, ignore_errors=True)


def read_until(start: str, process: subprocess.Popen[str]) -> None:
    """Read what a process says up to a line that begins so."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(start):
            return
    raise AssertionError("".join(said))


def await_port(port: int) -> None:
    """Wait until something listens; the agent of the head is the last that jobs need."""

    def listens() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS).close()
        except OSError:
            return False
        return True

    await_that(listens, "the cluster does not start")


def test_our_code_is_sent_and_its_exit_code_comes_back(cluster: Cluster) -> None:
    code, said = cluster.polychrony("submit", "small.yaml", "--out", "/proc/nowhere")
    assert code == 2, said
    assert "--out: /proc/nowhere/small: can't be written" in said
    assert "must be on storage that all nodes see" in said and "Traceback" not in said


def test_a_sweep_is_submitted_followed_stopped_and_resumed(cluster: Cluster) -> None:
    code, said = cluster.polychrony("submit", "small.yaml", "--code", "installed", "--detach")
    assert code == 0 and "small is job polychrony-small-" in said, said
    with cluster.start("logs", "small") as following:
        read_until("[1/6]", following)
        code, said = cluster.polychrony("stop", "small")
        assert code == 0 and "small is stopped" in said, said
        rest, _ = following.communicate()
    # It had its time: a driver that is killed says nothing.
    assert "interrupted: what is finished is kept" in rest and "small was stopped" in rest
    assert following.returncode == 130
    sweep = Sweep(cluster.folder / "runs/small")
    finished = len(sweep.table("trials"))
    assert 1 <= finished < 6
    client = mlflow.MlflowClient(f"sqlite:///{cluster.folder}/runs/mlflow.db")
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert {run.info.status for run in client.search_runs(experiments)} <= {"FINISHED", "KILLED"}

    code, said = cluster.polychrony("status", "small")
    assert code == 0 and f"small: unfinished, {finished} complete of 6 trials" in said, said
    assert "STOPPED" in said and "1 of 1 nodes alive, 2 cores" in said
    code, said = cluster.polychrony("resume", "small")
    assert code == 0 and f"6 trials, {finished} are finished" in said, said
    assert sorted(sweep.table("trials")["trial"]) == list(range(6))
    assert not sweep.table("epochs").duplicated(["trial", "epoch"]).any()
    runs = client.search_runs(experiments)
    assert len(runs) == 7 and {run.info.status for run in runs} == {"FINISHED"}
