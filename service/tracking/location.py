"""Where the MLflow store of a sweep is: MLFLOW_TRACKING_URI, else what the sweep asks for, else our own."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from model.caches import can_be_written
from service.errors import Fault, UserError
from service.storage.paths import ObjectPath, StoragePath

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
STORE = r"https?://[^/]|(postgresql|mysql|mssql)(\+\w+)?://.|sqlite(\+\w+)?:///[^:]"
"""How an address begins that MLflow can be used with."""
OWN = "sqlite+pysqlite:///"
"""With the driver, or MLflow makes a folder of a path that is quoted."""


def embedded_store(runs: StoragePath) -> str:
    """URI of the store in the folder `runs`.

    >>> embedded_store(Path("/data/50%?"))
    'sqlite+pysqlite:////data/50%25%3F/mlflow.db'
    """
    return OWN + quote(str(runs.absolute() / "mlflow.db"))


def named_store() -> str | None:
    """URI of the store that the environment names, if it does.

    Raises UserError if MLflow can't be used with it.
    """
    uri = os.environ.get(VARIABLE)
    if not uri:
        return None
    if not re.match(STORE, uri):
        here = OWN.replace("+pysqlite", "") + quote(str(Path("mlflow.db").absolute()))
        cure = (
            "names neither a server nor a database, and folders of files are no stores of MLflow's any more; "
            f"give one such as http://host:5000, postgresql://host/mlflow or {here}, or unset it"
        )
        raise UserError([Fault(VARIABLE, uri, cure)])
    return uri


def tracking_uri(runs: StoragePath, asked: str | None) -> str:
    """URI of the store in use.

    The environment wins over `asked`, the sweep's own `mlflow.uri`: whoever runs a sweep that others wrote
    can send it elsewhere, and only the environment may hold a password. With neither it is the embedded one.

    Raises UserError if that can't be: `runs` is on an object store, or the environment names no store.
    """
    uri = named_store() or asked
    if uri is None and isinstance(runs, ObjectPath):
        cure = f"set it, or `mlflow.uri` in the sweep file: no database of ours can be in {runs}"
        raise UserError([Fault(VARIABLE, "is not set", cure)])
    return uri or embedded_store(runs)


def check_store(runs: StoragePath, asked: str | None) -> None:
    """See that a sweep can be shown: what is wrong here is wrong for good, and waiting mends nothing.

    Args:
        runs: folder of all sweeps.
        asked: the sweep's `mlflow.uri`.

    Raises UserError if MLflow can't be used so. Whether a server answers is not asked.
    """
    uri = tracking_uri(runs, asked)
    artifacts_of(runs, uri)
    if not is_database(uri):
        return
    place = VARIABLE if named_store() else "mlflow.uri" if asked else "--out"
    file = database_file(uri)
    if file is None:
        if fault := _driver_fault(uri):
            raise UserError([Fault(place, uri, fault)])
    elif not can_be_written(file.parent) or (file.exists() and not os.access(file, os.W_OK)):
        fault = (
            f"MLflow's database {file} can't be written; make it and its folder writable, or choose another"
        )
        raise UserError([Fault(place, uri, fault)])


def _driver_fault(uri: str) -> str | None:
    """Why a database can't be used from here, whether it runs or not."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        make_url(uri).get_dialect().import_dbapi()
    except ImportError as error:
        extra = ' (`pip install "polychrony[postgresql]"` for PostgreSQL)'
        return f"needs a package that is missing: {error.name or error}; install it{extra}"
    except (SQLAlchemyError, ValueError) as error:
        return f"is no address of a database ({error}); write it like postgresql://host:5432/mlflow"
    return None


def is_database(uri: str) -> bool:
    """Whether a store is a database, and no server.

    >>> is_database("postgresql+psycopg://host/runs"), is_database("https://host")
    (True, False)
    """
    return uri.partition(":")[0].partition("+")[0] in DATABASES


def database_file(uri: str) -> Path | None:
    """The file of a database of SQLite; None if it is another store.

    >>> database_file("sqlite:////data/50%25/mlflow.db?timeout=9")
    PosixPath('/data/50%/mlflow.db')
    """
    scheme, _, path = uri.partition(":///")
    if scheme.partition("+")[0] != "sqlite":
        return None
    return Path(unquote(path.partition("?")[0])).absolute()


def artifacts_of(runs: StoragePath, uri: str) -> Path | None:
    """The folder of all artifacts; None with a server, which knows itself where it keeps them.

    A database is no server: left to itself, MLflow would put them beside it into the working folder.
    Raises UserError if `runs` is on an object store, and there is no other place for them.
    """
    if not is_database(uri):
        return None
    if not isinstance(runs, ObjectPath):
        return runs.absolute() / "mlartifacts"
    if (file := database_file(uri)) is not None:
        return file.parent / "mlartifacts"
    cure = f"would keep no pictures, for sweeps in {runs}; run an MLflow server over it, and give its address"
    raise UserError([Fault(VARIABLE, "a database", cure)])
