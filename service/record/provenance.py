"""Under what a trial was run, so that its numbers can be had again: versions, machine, data.

What varies from trial to trial is a column of `trials`. What is the same for most of them, the versions of
packages above all, is an entry of environments.json in the sweep's folder, and its number is the column.
"""

import hashlib
import json
import os
import platform
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.errors import SweepError
from service.storage.atomic import write_whole
from service.storage.layout import environments_file
from service.storage.paths import StoragePath
from service.version import code_version

if TYPE_CHECKING:
    from model.datasets import Splits

Environment = dict[str, Any]
"""`code_version`, `python`, `platform`, `node`, `cpu`, `cores`, and `packages`: versions by name."""


@cache
def environment() -> Environment:
    """The environment of this process."""
    found = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "code_version": code_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "node": platform.node(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "packages": {name: found[name] for name in sorted(found.keys() - {None}, key=str.lower)},
    }


@cache
def cpu_model() -> str:
    """The model of this machine's processor, in its maker's words where the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def data_digest(splits: "Splits") -> str:
    """SHA-256 (hex) of training, validation and test data together."""
    parts = " ".join("none" if part is None else part.digest() for part in splits)
    return hashlib.sha256(parts.encode()).hexdigest()


def read_environments(folder: StoragePath) -> list[Environment]:
    """The environments that the trials of a sweep were run in, in order of their numbers from 0.

    Empty for a sweep of a version that did not keep them. Raises SweepError if their file is damaged.
    """
    path = environments_file(folder)
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_bytes())
        if not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
            raise ValueError("expected a list of objects")
    except ValueError as error:
        raise SweepError(f"{path}: can't be read ({error}); restore the file from a copy") from error
    return found


def note_environment(folder: StoragePath) -> int:
    """The number of this process's environment in a sweep; one that is new is kept.

    Raises SweepError if the file of environments is damaged or can't be written.
    """
    known, now = read_environments(folder), environment()
    if now not in known:
        known.append(now)
        write_whole(environments_file(folder), (json.dumps(known, indent=1) + "\n").encode())
    return known.index(now)
