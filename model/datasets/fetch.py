"""Published files, in a folder of the user's: where they come from and how they get there.

The package tonic fetches them, checks them by their published checksums and unpacks them. It is needed for
nothing else, and not at all for files that are already there.
"""

import hashlib
import http.client
import importlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from filelock import FileLock

from model.datasets.ragged import DataError

FOLDER_VARIABLE = "POLYCHRONY_DATA"
ZENKE = "https://zenkelab.org/datasets/"
MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
NTIDIGITS = "https://www.dropbox.com/scl/fi/1x4lxt9yyw25sc3tez8oi/n-tidigits.hdf5?rlkey=w8gi5udvib2zqzosusa5tr3wq&dl=1"


class Remote(NamedTuple):
    """A file that can be fetched."""

    url: str
    """Where it comes from; packed if the name ends in .zip or .gz."""
    dataset: str
    """The class of tonic.datasets that fetches it."""
    arguments: Mapping[str, Any]
    """What the class wants to know, besides where to save the file."""
    md5: str | None = None
    """Checksum of the file, if tonic does not check one itself."""


TRAIN, TEST = MappingProxyType({"train": True}), MappingProxyType({"train": False})
FILES = {
    "shd": {
        "shd_train.h5": Remote(ZENKE + "shd_train.h5.zip", "SHD", TRAIN),
        "shd_test.h5": Remote(ZENKE + "shd_test.h5.zip", "SHD", TEST),
    },
    "ssc": {
        f"ssc_{part}.h5": Remote(f"{ZENKE}ssc_{part}.h5.zip", "SSC", MappingProxyType({"split": part}))
        for part in ("train", "valid", "test")
    },
    "ntidigits": {
        "n-tidigits.hdf5": Remote(NTIDIGITS, "NTIDIGITS18", TRAIN, md5="360a2d11e5429555c9197381cf6b58e0"),
    },
    "smnist": {
        f"{part}-{kind}-ubyte": Remote(f"{MNIST}{part}-{kind}-ubyte.gz", "SMNIST", arguments)
        for part, arguments in (("train", TRAIN), ("t10k", TEST))
        for kind in ("images-idx3", "labels-idx1")
    },
}
"""The files of each data set, by the name they have in its folder."""


def data_folder() -> Path:
    """Where data sets are kept: the environment variable POLYCHRONY_DATA, else ~/.cache/polychrony."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "polychrony"


def fetch(name: str) -> Path:
    """The folder with the files of data set `name`; those that are not there yet are fetched.

    Raises DataError, saying which file to put where, if that cannot be done.
    """
    folder = data_folder() / name
    if not _missing(name, folder):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):  # trials that start together fetch once
            while missing := _missing(name, folder):
                _fetch_with_tonic(FILES[name][missing[0]], list(FILES[name]), folder)
    except ImportError as error:
        reason = f"tonic, which fetches data, is not installed ({error}): pip install 'polychrony[datasets]'"
        raise DataError(_help(name, folder, reason)) from error
    except (OSError, RuntimeError, http.client.HTTPException, zipfile.BadZipFile) as error:
        reason = f"fetching failed ({type(error).__name__}: {error})"
        raise DataError(_help(name, folder, reason)) from error
    return folder


def _missing(name: str, folder: Path) -> list[str]:
    return [file for file in FILES[name] if not (folder / file).is_file()]


def _fetch_with_tonic(remote: Remote, names: list[str], folder: Path) -> None:
    """Fetch into a folder of its own and move what is whole: tonic takes half a file for a file."""
    dataset = getattr(importlib.import_module("tonic.datasets"), remote.dataset)
    with tempfile.TemporaryDirectory(dir=folder) as staging:
        dataset(staging, **remote.arguments)
        found = [file for file in Path(staging).rglob("*") if file.name in names]
        if not found:
            raise RuntimeError(f"tonic brought none of {', '.join(names)}")
        for file in found:
            if remote.md5 is not None and _md5(file) != remote.md5:
                raise RuntimeError(f"{file.name} arrived damaged")
            file.replace(folder / file.name)


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()


def _help(name: str, folder: Path, reason: str) -> str:
    missing = _missing(name, folder)
    files = ", ".join(f"{file} (unpacked from {FILES[name][file].url})" for file in missing)
    return f"{folder}: {', '.join(missing)} not there, and {reason}; or put there by hand: {files}"
