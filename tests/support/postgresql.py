"""Databases of our own on a real PostgreSQL server."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from sqlalchemy.orm import close_all_sessions

SERVER = "postgresql://postgres@127.0.0.1:5432"
"""Where tests look for one, which trusts us without a password."""


@contextmanager
def new_database(server: str = SERVER) -> Iterator[str]:
    """The URI of an empty database on `server`, dropped afterwards.

    Raises psycopg.OperationalError if no server can be reached.
    """
    name = f"polychrony_{uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=5) as connection:
        connection.execute(f'create database "{name}"')
    try:
        yield f"{server}/{name}"
    finally:
        close_all_sessions()
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')
