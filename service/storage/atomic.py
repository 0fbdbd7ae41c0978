"""Where things lie in a sweep's folder, and how a file is written whole or not at all."""

import os
import platform
import re
from pathlib import Path

from service.errors import SweepError
from service.storage.paths import ObjectPath, Place, inside


class UnwritableError(SweepError):
    """A file of the sweep can't be written, or not be read for a reason outside it."""


def sweep_folders(runs: Place) -> list[Place]:
    """The folders of the sweeps in the folder `runs`, by name."""
    return [one for one in inside(runs) if not one.name.startswith(".") and sweep_file(one).is_file()]


def sweep_file(folder: Place) -> Place:
    """The resolved sweep."""
    return folder / "sweep.yaml"


def environments_file(folder: Place) -> Place:
    """Under what the trials were run."""
    return folder / "environments.json"


def plan_file(folder: Place) -> Place:
    """The trials that were begun."""
    return folder / "plan.jsonl"


def checkpoint_file(folder: Place, trial: int) -> Place:
    """Training of a trial that is not finished, from which it can go on."""
    return folder / "checkpoints" / f"{trial:06d}.safetensors"


def network_file(folder: Place, trial: int) -> Place:
    """The networks of a trial as of its last report."""
    return folder / "networks" / f"{trial:06d}.safetensors"


def trials_with_networks(folder: Place) -> set[int]:
    """The trials whose networks are there."""
    names = (one.name for one in inside(network_file(folder, 0).parent))
    return {int(name.partition(".")[0]) for name in names if re.fullmatch(r"\d{6,}\.safetensors", name)}


def pictures_folder(folder: Place, trial: int) -> Place:
    """What was drawn of a trial."""
    return folder / "pictures" / f"{trial:06d}"


LAST_STILL = "delays.png"
"""The picture that every trial with networks has, drawn last: where it is, the others of the trial are."""


def write_whole(path: Place, content: bytes) -> None:
    """Write `content` to `path`; whoever reads it, also after a crash, finds all of it or what was before.

    Raises UnwritableError if the disk is full or the like.
    """
    try:
        if isinstance(path, ObjectPath):
            path.write_bytes(content)
        else:
            _write(path, content)
    except OSError as error:
        cure = "free some space or make the folder writable, then run the same command again"
        raise UnwritableError(f"{path}: can't be written ({error.strerror}); {cure}") from error


def remove_temporaries(folder: Place) -> None:
    """Remove what processes that were killed have left half written below `folder`."""
    if isinstance(folder, Path):  # object stores keep nothing that is not whole
        for path in folder.rglob(".*.*.*"):
            if re.fullmatch(r"\..+\.\d+", path.name):
                path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")  # others may write it, too
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Make a replacement last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
