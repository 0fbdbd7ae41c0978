"""The MLflow UI of a folder of sweeps."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from service.errors import Fault, SweepError, UserError
from service.results.sweeps import sweeps_in
from service.storage.paths import StoragePath
from service.text import redact
from service.tracking.location import artifacts_of, embedded_store, is_database, named_store
from service.tracking.moved import follow_move


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
    say(f"MLflow UI{shown}: http://127.0.0.1:{port}/#/experiments (trials: `Training runs`; ctrl-C stops it)")
    command, environment = ui_command(runs, port, served)
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0


def ui_command(runs: StoragePath, port: int, store: str | None = None) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a server, on loopback only, that shows a database.

    Args:
        runs: folder of all sweeps and of the artifacts.
        port: of the server.
        store: URI of the database; None: the embedded store.
    """
    store = store or embedded_store(runs)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1"]
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
