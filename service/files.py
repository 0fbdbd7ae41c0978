"""Where things lie in a sweep's folder, and how a file is written whole or not at all."""

import os
from pathlib import Path

from service.errors import SweepError


class UnwritableError(SweepError):
    """A file of the sweep can't be written."""


def sweep_file(folder: Path) -> Path:
    """The resolved sweep."""
    return folder / "sweep.yaml"


def environments_file(folder: Path) -> Path:
    """Under what the trials were run."""
    return folder / "environments.json"


def plan_file(folder: Path) -> Path:
    """The trials that were begun."""
    return folder / "plan.jsonl"


def lock_file(folder: Path) -> Path:
    """Held by the one driver of the sweep."""
    return folder / ".lock"


def checkpoint_file(folder: Path, trial: int) -> Path:
    """Training of a trial that is not finished, from which it can go on."""
    return folder / "checkpoints" / f"{trial:06d}.safetensors"


def network_file(folder: Path, trial: int) -> Path:
    """The networks of a trial as of its last report."""
    return folder / "networks" / f"{trial:06d}.safetensors"


def pictures_folder(folder: Path, trial: int) -> Path:
    """What was drawn of a trial."""
    return folder / "pictures" / f"{trial:06d}"


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path`; whoever reads it, also after a crash, finds all of it or what was before.

    Raises UnwritableError if the disk is full or the like.
    """
    try:
        _write(path, content)
    except OSError as error:
        cure = "free some space or make the folder writable, then run the same command again"
        raise UnwritableError(f"{path}: can't be written ({error.strerror}); {cure}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
