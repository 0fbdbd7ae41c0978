"""The MLflow UI of a folder of sweeps."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress

from service.errors import Fault, SweepError, UserError
from service.results.sweeps import sweeps_in
from service.storage.paths import StoragePath
from service.text import redact
from service.tracking.client import client_of
from service.tracking.location import artifacts_of, embedded_store, is_database, named_store
from service.tracking.moved import follow_move
from service.tracking.saved_view import runs_page, view_tag

LOG_SHOWN = 2000
"""Characters of the server's log that are shown if it ends by itself."""


def stores_of(runs: StoragePath) -> list[str]:
    """URIs of the stores that the sweeps in `runs` are shown in, the embedded one first.

    Raises UserError if there is none, or MLflow can't be used with the one that the environment names.
    """
    if named := named_store():
        return [named]
    found = [embedded_store(runs)] if (runs / "mlflow.db").is_file() else []
    for sweep in sweeps_in(runs):
        try:
            found += [sweep.spec.mlflow.uri] if sweep.spec.mlflow.uri else []
        except SweepError:  # its file is damaged; `polychrony list` says so
            continue
    if not found:
        raise UserError([Fault("--out", str(runs), "no sweep has been logged there; run one first")])
    return list(dict.fromkeys(found))


def show(runs: StoragePath, port: int, say: Callable[[str], object]) -> int:
    """Say where the sweeps in `runs` are shown, and serve the first database among these; its exit code.

    Raises UserError if no sweep has been logged.
    """
    stores = stores_of(runs)
    served = next(filter(is_database, stores), None)
    for store in stores:
        if store != served:
            say(f"MLflow: {redact(store)}")
    if served is None:
        return 0
    shown = f" of {redact(served)}"
    if served == embedded_store(runs):
        shown = ""
        with suppress(sqlite3.Error):  # a copy that can't be written shows at least the numbers
            follow_move(runs)
    if not _is_free(port):
        say(f"port {port} is taken; choose another: polychrony ui --port {port + 1}")
        return 1
    say(f"starting the MLflow UI{shown} (ctrl-C stops it)")
    command, environment = ui_command(runs, port, served)
    with tempfile.TemporaryFile() as log:
        # A session of its own, for it starts processes that outlive it unless all are told to end.
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            pages = addresses(runs, port, served)
            if _answers(port, server):
                for name, page in pages.items():
                    say(f"{name}: {page}")
            code = server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait()
        log.seek(0)
        say(log.read().decode(errors="replace")[-LOG_SHOWN:].rstrip())
        say(f"the MLflow server has ended with exit code {code}")
        return 1


def addresses(runs: StoragePath, port: int, store: str) -> dict[str, str]:
    """For each sweep the page of its runs, as its view in MLflow has them: see `saved_view.py`."""
    client = client_of(store)
    pages = {}
    for sweep in sweeps_in(runs):
        try:
            spec = sweep.spec
        except SweepError:  # its file is damaged; `polychrony list` says so
            continue
        found = client.get_experiment_by_name(spec.experiment)
        if found is not None:
            page = runs_page(found.experiment_id, spec, is_saved=view_tag(spec.name) in found.tags)
            pages[sweep.name] = f"http://127.0.0.1:{port}/{page}"
    return pages


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _answers(port: int, server: "subprocess.Popen[bytes]") -> bool:
    """Wait until the server answers; False if it has ended before."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def ui_command(runs: StoragePath, port: int, store: str | None = None) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a server, on loopback only, that shows a database.

    Args:
        runs: folder of all sweeps and of the artifacts.
        port: of the server.
        store: URI of the database; None: the embedded store.
    """
    store = store or embedded_store(runs)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--uvicorn-opts", "--log-level warning"]
    artifacts = artifacts_of(runs, store)
    assert artifacts is not None
    command += ["--artifacts-destination", artifacts.as_uri()]
    settings = {
        # Not on the command line, which everybody on the machine can read: it may hold a password.
        "MLFLOW_BACKEND_STORE_URI": store,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # else seven more workers, for jobs that we don't have
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONSAFEPATH": "1",  # else a user's click.py in the working folder takes the place of the library
    }
    return command, {**os.environ, **settings}
