"""Where the MLflow store of a sweep is: MLFLOW_TRACKING_URI, else what the sweep asks for, else our own."""

import os
from pathlib import Path

from service.errors import Fault, UserError
from service.storage.paths import ObjectPath, StoragePath

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


def embedded_store(runs: StoragePath) -> str:
    """URI of the store in the folder `runs`."""
    return f"sqlite:///{runs.absolute() / 'mlflow.db'}"


def tracking_uri(runs: StoragePath, asked: str | None) -> str:
    """URI of the store in use.

    The environment wins over `asked`, the sweep's own `mlflow.uri`: whoever runs a sweep that others wrote
    can send it elsewhere, and only the environment may hold a password. With neither it is the embedded one.

    Raises UserError if that can't be, because `runs` is on an object store.
    """
    uri = os.environ.get(VARIABLE) or asked
    if uri is None and isinstance(runs, ObjectPath):
        cure = f"set it, or `mlflow.uri` in the sweep file: no database of ours can be in {runs}"
        raise UserError([Fault(VARIABLE, "is not set", cure)])
    return uri or embedded_store(runs)


def is_database(uri: str) -> bool:
    """Whether a store is a database, and no server.

    >>> is_database("postgresql+psycopg://host/runs"), is_database("https://host")
    (True, False)
    """
    return uri.partition(":")[0].partition("+")[0] in DATABASES


def artifacts_of(runs: StoragePath, uri: str) -> Path | None:
    """The folder of all artifacts; None with a server, which knows itself where it keeps them.

    A database is no server: left to itself, MLflow would put them beside it into the working folder.
    Raises UserError if `runs` is on an object store, and there is no other place for them.
    """
    if not is_database(uri):
        return None
    if not isinstance(runs, ObjectPath):
        return runs.absolute() / "mlartifacts"
    if uri.startswith("sqlite:///"):
        return Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts"
    cure = f"would keep no pictures, for sweeps in {runs}; run an MLflow server over it, and give its address"
    raise UserError([Fault(VARIABLE, "a database", cure)])
