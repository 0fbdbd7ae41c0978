"""`polychrony doctor`: what is installed and what can be reached, with a cure for each fault."""

import os
import platform
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from service.errors import PolychronyError, UserError
from service.execution.scratch import PROBE, scratch_place
from service.storage.lock import sweep_lock
from service.storage.paths import ObjectPath, StoragePath
from service.text import redact, shortened
from service.tracking.location import check_store, embedded_store, is_database
from service.version import code_version

SECONDS = 5.0
"""How long a server may take to answer."""


class LoginError(Exception):
    """A server does not let us in."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    cure: str | None = None
    """How to mend it; None if all is well."""


def examine(runs: StoragePath, console: Console, *, faults_only: bool = False) -> bool:
    """Print a table of all that a sweep in the folder `runs` needs; returns whether all is there.

    With `faults_only` nothing is printed but what is to be mended, and how.
    """
    table = Table(box=None, pad_edge=False)
    for name in ("", "what", "found"):
        table.add_column(name, overflow="fold")
    findings = [finding for look in LOOKS for finding in _careful(look, runs)]
    faults = [one for one in findings if one.cure is not None]
    for one in faults if faults_only else findings:
        table.add_row("ok" if one.cure is None else "FAULT", one.what, one.found)
    if table.row_count:
        console.print(table, highlight=False, markup=False)
    for one in faults:
        console.print(f"{one.what}: {one.cure}", highlight=False, markup=False, soft_wrap=True)
    if faults or not faults_only:
        console.print("all is well" if not faults else f"{len(faults)} to mend", highlight=False)
    return not faults


def packages(runs: StoragePath) -> Iterator[Finding]:
    """Python, polychrony and what it depends on: installed, and in the range that is needed."""
    yield Finding("python", platform.python_version())
    yield Finding("polychrony", code_version())
    try:
        needed = [Requirement(text) for text in requires("polychrony") or ()]
    except PackageNotFoundError:
        yield Finding(
            "packages", "polychrony is not installed, its needs are not known", "pip install polychrony"
        )
        return
    for requirement in needed:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _package(requirement)
    for extra, use in EXTRAS.items():
        wanted = [one for one in needed if one.marker and one.marker.evaluate({"extra": extra})]
        missing = any(_package(one).cure is not None for one in wanted)
        yield Finding(f"polychrony[{extra}]", f"{'not ' * missing}installed ({use})")


EXTRAS = {
    "cluster": "for the head of a cluster that jobs are submitted to",
    "datasets": "downloads SHD, SSC, N-TIDIGITS and MNIST",
    "postgresql": "an MLflow store in PostgreSQL without a server",
    "server": "an MLflow server with a login",
}


def _package(requirement: Requirement) -> Finding:
    """Whether a package is there as it is needed, with what its own extras need."""
    cure = f'pip install "{str(requirement).partition(";")[0]}"'
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Finding(requirement.name, "not installed", cure)
    if not requirement.specifier.contains(found, prereleases=True):
        return Finding(requirement.name, f"{found}, needed is {requirement.specifier}", cure)
    for text in requires(requirement.name) or ():
        inner = Requirement(text)
        asked = inner.marker is not None and any(
            inner.marker.evaluate({"extra": e}) for e in requirement.extras
        )
        if asked and not inner.extras and (fault := _package(inner)).cure is not None:
            return Finding(requirement.name, f"{found}; {fault.what}: {fault.found}", cure)
    return Finding(requirement.name, found)


def machine(runs: StoragePath) -> Iterator[Finding]:
    """Cores, memory and GPU."""
    import torch

    yield Finding("cores", f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}")
    yield Finding("memory", _memory())
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    yield Finding("GPU", f"{gpu} (networks are trained on the CPU)")


def _memory() -> str:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(lines[name].split()[0]) / 1e6 for name in ("MemTotal", "MemAvailable"))
    return f"{total:.1f} GB, {free:.1f} GB free"


def kernels(runs: StoragePath) -> Iterator[Finding]:
    """Whether the kernels compile and run, forwards and backwards."""
    from numba import config

    from model import Cohort, LearnerConfig, SpikeDataset
    from model.kernels.cpu.compile import CACHED

    began = time.monotonic()
    data = SpikeDataset.from_events([([1.0, 2.0], [0, 1])], [0], n_channels=2, n_classes=2)
    net = Cohort(LearnerConfig(hidden=2, duration=10.0), 2, 2, seeds=[0])
    net(data, [[0]]).logits.sum().backward()
    took = f"compiled and run in {time.monotonic() - began:.1f} s"
    if CACHED:
        kept = config.CACHE_DIR or "the installation or the home"  # type: ignore[attr-defined]
        yield Finding("kernels", f"{took}; kept in {kept}")
    else:
        cure = "name a folder that can be written by NUMBA_CACHE_DIR, or every process compiles them anew"
        yield Finding("kernels", f"{took}; there is no place to keep them", cure)


def folder(runs: StoragePath) -> Iterator[Finding]:
    """Whether sweeps can be written, and on an object store held against other drivers."""
    trial = runs / f".doctor-{uuid.uuid4().hex}"
    try:
        if isinstance(runs, ObjectPath):
            with sweep_lock(trial):
                pass
            (runs / trial.name).remove_all()
        else:
            existing = next(one for one in (runs.absolute(), *runs.absolute().parents) if one.exists())
            trial = existing / trial.name
            trial.write_bytes(PROBE)
            trial.unlink()
    except (OSError, UserError) as error:
        fault = error.faults[0].message if isinstance(error, UserError) else error.strerror or error
        cure = "make it writable, or give another by --out"
        yield Finding("folder of sweeps", f"{runs}: {fault}", cure)
        return
    yield Finding("folder of sweeps", f"{runs}: can be written")


def temporary(runs: StoragePath) -> Iterator[Finding]:
    """Whether Ray has a place for its sockets and logs."""
    try:
        place = scratch_place()
    except UserError as error:
        yield _refused("temporary files", error)
    else:
        free = shutil.disk_usage(place).free / 1e9
        yield Finding("temporary files", f"{place}: can be written, {free:.1f} GB free")


def _refused(what: str, error: UserError) -> Finding:
    """What a sweep would be refused for."""
    fault = error.faults[0]
    return Finding(what, redact(f"{fault.place}: {fault.field}"), redact(fault.message))


def mlflow(runs: StoragePath) -> Iterator[Finding]:
    """Whether MLflow can be used, and the stores that are named be reached."""
    from service.tracking.ui import stores_of

    stores: list[str] = []
    with suppress(UserError):  # nothing was logged yet; or it is said at once what is wrong
        stores = stores_of(runs)
    try:
        check_store(runs, stores[0] if stores and isinstance(runs, ObjectPath) else None)
    except UserError as error:
        yield _refused("MLflow", error)
        return
    named = [store for store in stores if isinstance(runs, ObjectPath) or store != embedded_store(runs)]
    if not named:
        yield Finding("MLflow", "in the folder of sweeps; no other store is named")
    for store in named:
        shown = redact(store)
        try:
            (_reach_database if is_database(store) else _reach_server)(store)
        except Exception as error:  # whatever a driver of a database may raise
            cure = f"see that {shown} runs and lets this machine in, or name another by MLFLOW_TRACKING_URI"
            if isinstance(error, LoginError):
                cure = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or correct them"
            if isinstance(error, ModuleNotFoundError):
                cure = 'pip install "polychrony[postgresql]"'
            yield Finding("MLflow", f"{shown}: {_line(error)}", cure)
        else:
            yield Finding("MLflow", f"{shown}: answers")


def _reach_server(uri: str) -> None:
    """Ask a server what only those may ask who are let in: `/health` is open to all."""
    import requests

    name, password = (os.environ.get(one) for one in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"))
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    answer = requests.get(
        f"{uri.rstrip('/')}/api/2.0/mlflow/experiments/search",
        params={"max_results": "1"},
        auth=(name, password) if name and password else None,
        headers={"Authorization": f"Bearer {token}"} if token and not (name and password) else {},
        timeout=SECONDS,
    )
    if answer.status_code in (401, 403) and "Host header" not in answer.text:
        what = "these are not its" if (name and password) or token else "there is none here"
        raise LoginError(f"asks for a login, and {what}")
    answer.raise_for_status()


def _reach_database(uri: str) -> None:
    from sqlalchemy import create_engine

    options = {"connect_timeout": int(SECONDS)} if uri.startswith(("postgresql", "mysql")) else {}
    engine = create_engine(uri, connect_args=options)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def cluster(runs: StoragePath) -> Iterator[Finding]:
    """Whether the Ray cluster that the environment names can be reached."""
    for variable in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        address = os.environ.get(variable, "")
        if address in ("", "auto", "local"):
            continue
        try:
            yield Finding(variable, f"{address}: {_reach_cluster(address)}")
        except (PolychronyError, OSError, ValueError) as error:
            cure = f"start the cluster, or correct {variable}, or unset it"
            yield Finding(variable, f"{address}: {_line(error)}", cure)
    if not os.environ.get("RAY_ADDRESS") and not os.environ.get("RAY_API_SERVER_ADDRESS"):
        yield Finding("Ray", "no cluster is named by RAY_ADDRESS; sweeps run on a Ray of their own")


def _reach_cluster(address: str) -> str:
    if address.startswith("http"):
        from service.jobs.dashboard import Dashboard

        nodes = [node for node in Dashboard.connect(address).nodes() if node.alive]
        return f"{len(nodes)} nodes, {sum(node.cores for node in nodes):g} cores"
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), timeout=SECONDS).close()
    return "listens"


Look = Callable[[StoragePath], Iterator[Finding]]
LOOKS: tuple[Look, ...] = (packages, machine, kernels, folder, temporary, mlflow, cluster)


def _careful(look: Look, runs: StoragePath) -> Iterator[Finding]:
    """What a look finds; a fault if it can't even look."""
    try:
        yield from look(runs)
    except Exception as error:  # a broken package may raise anything
        cure = "mend or install what the message names"
        if look is kernels:
            cure = "they need numba, and a folder for its cache that can be written, or NUMBA_CACHE_DIR"
        yield Finding(look.__name__, _line(error), cure)


def _line(error: BaseException) -> str:
    """An error in a line, without passwords."""
    said = str(error).strip().partition("\n")[0]
    return shortened(redact(f"{type(error).__name__}: {said}" if said else type(error).__name__))
