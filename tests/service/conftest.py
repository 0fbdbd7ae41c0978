"""Small sweeps for the tests of the service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from object_store import ObjectStore
from postgresql import SERVER, new_database
from rich.console import Console

from service.config.load import load
from service.config.sweep import SweepSpec
from service.storage.paths import StoragePath

SWEEP = """\
name: small
data: {name: digits}
learner: {hidden: 6, epochs: 2, duration: 20.0, dt: 2.0, batch_size: 256, replicates: 2}
space:
  learner.wiring_cost: {log: [1e-4, 1e-1]}
  learner.dimensions: {choice: [1, 2, 3]}
search: {sampler: random, trials: 3, seed: 5}
objectives:
  - {metric: accuracy, goal: max}
  - {metric: wiring_length, goal: min}
resources: {concurrent: 2}
"""


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    """A sweep of three tiny trials."""
    path = tmp_path / "small.yaml"
    path.write_text(SWEEP)
    return path


@pytest.fixture
def small_spec(sweep_file: Path) -> Callable[..., SweepSpec]:
    """That sweep, with changes by path."""

    def make(**changes: Any) -> SweepSpec:
        options = [f"{path.replace('__', '.')}={value}" for path, value in changes.items()]
        return load(sweep_file, options)

    return make


@pytest.fixture(params=["folder", "object store"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePath:
    """Where a sweep may live: a local folder, or a place on an object store."""
    return tmp_path if request.param == "folder" else ObjectStore().path("bucket/runs/sweep")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URI of an empty database on a real PostgreSQL server."""
    with ExitStack() as stack:
        try:
            uri = stack.enter_context(new_database())
        except psycopg.OperationalError as error:
            pytest.skip(f"no PostgreSQL at {SERVER} that lets databases be made without a password: {error}")
        yield uri


@pytest.fixture
def console() -> Console:
    """Keeps what it prints."""
    return Console(width=200, record=True)
