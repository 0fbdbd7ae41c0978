"""A file is written whole or not at all."""

import os
import platform
import re
from pathlib import Path

from service.errors import SweepError
from service.storage.paths import ObjectPath, StoragePath


class UnwritableError(SweepError):
    """A file of the sweep can't be written, or not be read for a reason outside it."""


def write_whole(path: StoragePath, content: bytes) -> None:
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


def remove_temporaries(folder: StoragePath) -> None:
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
