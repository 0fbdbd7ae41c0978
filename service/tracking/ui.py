"""The MLflow UI over the embedded store."""

import os
import sys
from pathlib import Path

from service.tracking.store import embedded_store


def ui_command(runs: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a server, on loopback only, that shows the sweeps in `runs`."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", embedded_store(runs)]
    command += ["--artifacts-destination", (runs.absolute() / "mlartifacts").as_uri()]
    settings = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # else seven more workers, for jobs that we don't have
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONSAFEPATH": "1",  # else a user's click.py in the working folder takes the place of the library
    }
    return command, {**os.environ, **settings}
