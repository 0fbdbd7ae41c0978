"""Opening of HDF5 files, with what can go wrong there in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from model.datasets.ragged import DataError

LOCKED = (
    "is held by another process, which writes it; wait until that has closed it (where storage knows no "
    "locks, set HDF5_USE_FILE_LOCKING=FALSE)"
)
NOT_CLOSED = (
    "is marked as being written (SWMR), by a process that writes or that was killed; wait until it is "
    "closed, or if nobody writes it, clear the mark by `h5clear -s FILE`"
)
FILTER = (
    "is packed by a filter that is not here; set HDF5_PLUGIN_PATH to the folder that has it, or unpack the "
    "file by `h5repack -f NONE` where it is"
)
CAUSES = (
    ("unable to lock file", LOCKED),
    ("file is already open for", NOT_CLOSED),
    ("consistency flags", NOT_CLOSED),
    ("filter", FILTER),
    ("plugin", FILTER),
    ("external raw data file", "keeps numbers in another file, which is not there; put it where it was"),
    ("ermission denied", "may not be read; make it readable"),
)
"""Words of HDF5's own messages, and what they mean, with the cure. The first that fits counts."""


@contextmanager
def opened(path: str | Path, noun: str = "HDF5") -> Iterator[h5py.File]:
    """The file at `path`, for reading. Whatever goes wrong within is a DataError that begins with the path.

    noun: what the file should be, for messages.
    """
    _check_there(Path(path))
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except MemoryError as error:
        raise DataError(f"{path}: claims to be larger than the memory; give a smaller file") from error
    except Exception as error:  # on foreign and damaged files h5py raises anything
        raise DataError(f"{path}: {_in_words(str(error), noun)}") from error


def find(file: h5py.Group, key: str) -> Any | None:
    """The group or list at `key`, None if there is none. Raises DataError for a link that leads nowhere."""
    found = file
    for name in key.split("/"):
        link = found.get(name, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            return None
        try:
            found = found[name]
        except (KeyError, OSError) as error:
            if isinstance(link, h5py.HardLink):
                raise  # it is there, and damaged
            target = ":".join(filter(None, [getattr(link, "filename", ""), link.path]))
            raise DataError(
                f"`{key}` is a link to `{target}` that leads nowhere; mend the link, or remove it"
            ) from error
    return found


def check_sources(found: h5py.Dataset, key: str) -> None:
    """Raise DataError if a list is put together from files of which one is missing: HDF5 would read zeros."""
    for source in found.virtual_sources() if found.is_virtual else ():
        beside, here = Path(found.file.filename).parent / source.file_name, Path(source.file_name)
        if (
            source.file_name != "."
            and "%" not in source.file_name
            and not (beside.is_file() or here.is_file())
        ):
            raise DataError(
                f"`{key}` is put together from `{source.file_name}`, which is not there; put it there"
            )


def in_native_order(flat: NDArray[Any], stored: np.dtype[Any]) -> NDArray[Any]:
    """The values of a ragged list, as h5py has read them from a file that stores them as `stored`."""
    if stored.isnative:
        return flat
    raw = flat if _swaps_ragged_lists() else flat.view(stored)
    return raw.astype(stored.newbyteorder("="))


@cache
def _swaps_ragged_lists() -> bool:
    """Whether h5py turns ragged lists of the other byte order. Up to 3.16 it does not, and says it did."""
    other = np.dtype(np.uint16).newbyteorder("S")
    with h5py.File("probe", "w", driver="core", backing_store=False) as file:
        ragged = file.create_dataset("list", 1, h5py.vlen_dtype(other))
        ragged[0] = np.array([1], other)
        return bool(ragged[0][0] == 1)


def _check_there(path: Path) -> None:
    try:
        if path.is_file():
            return
        target = path.readlink() if path.is_symlink() else None
    except OSError as error:  # such as a folder that may not be entered, or a name that is too long
        raise DataError(f"{path}: cannot be looked for ({error.strerror}); check the path") from error
    if target is not None:
        raise DataError(f"{path}: is a link to `{target}`, where there is no file; mend the link")
    raise DataError(f"{path}: there is no such file; check the path")


def _in_words(said: str, noun: str) -> str:
    for words, cause in CAUSES:
        if words in said:
            return cause
    cure = "it may be cut short, compressed or of another format: unpack it, or fetch it again"
    return f"cannot be read as {noun} ({said}); {cure}"
