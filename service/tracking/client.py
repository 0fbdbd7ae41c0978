"""A client of MLflow's that keeps to itself, and what to say of a database of another version."""

import logging
import os
import re
import uuid
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from service.errors import SweepError
from service.tracking.location import OWN, database_file

if TYPE_CHECKING:
    from mlflow import MlflowClient


def client_of(uri: str) -> "MlflowClient":
    """A client that keeps to itself."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # The outbox tries again by itself; left alone, a request to a server that is down would take minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    # What goes wrong is reported once, in our words.
    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        _see_to_database(uri)
        return MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise _other_schema(error) or error from None


def _see_to_database(uri: str) -> None:
    """Make the file of a database of SQLite, if there is none, whole before it has its name.

    MLflow makes table after table, and with a part of them, as a kill leaves it, the file can't be used any
    more; nor can two processes make it side by side.
    """
    from mlflow import MlflowClient

    file = database_file(uri)
    if file is None or file.exists():
        return
    new = file.with_name(f".{file.name}.{uuid.uuid4().hex}.new")  # MLflow remembers names it has been told
    try:
        MlflowClient(tracking_uri=OWN + quote(str(new)))
        _give_name(new, file)
        # What others were killed at, too; who makes one at this moment finds that there is one already.
        for left in file.parent.glob(f".{escape(file.name)}.*.new*"):
            left.unlink(missing_ok=True)
    finally:
        new.unlink(missing_ok=True)


def _give_name(new: Path, file: Path) -> None:
    """Give the file `new` the name `file`, unless another process was faster."""
    try:
        os.link(new, file)
    except FileExistsError:
        return
    except OSError:  # there are file systems without hard links
        if not file.exists():
            new.replace(file)


def _other_schema(error: Exception) -> SweepError | None:
    """What to say of a database of another version of MLflow, whose own cure is for an older one alone."""
    versions = re.search(r"database schema \(found version (\w+), but expected (\w+)\)", str(error))
    if versions is None:
        return None
    return SweepError(
        f"its database has the schema of another version of MLflow ({versions[1]}, not {versions[2]}); "
        "install that one here, or if it is older, copy the database and then run `mlflow db upgrade` on it"
    )
