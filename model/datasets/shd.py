"""Reading of HDF5 files in the layout of the Spiking Heidelberg Digits (SHD), into flat arrays."""

from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from model.arrays import Ints
from model.datasets.ragged import DataError, concatenate


class ShdContent(NamedTuple):
    """What a file holds, unchecked but for its layout: S samples, E spikes."""

    times: NDArray[Any]  # [E], ms
    channels: NDArray[Any]  # [E]
    lengths: Ints  # spikes in each sample, [S]
    labels: NDArray[Any]  # [S]
    speakers: NDArray[Any] | None  # [S]
    class_names: int | None  # how many


def read_shd(path: str | Path) -> ShdContent:
    """The content of the file at `path`, times turned from seconds into ms.

    Times become float32, or float64 if the file holds them so.

    Raises DataError if the file is missing, truncated, not HDF5, not in this layout or without samples.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: there is no such file; check the path")
    try:
        with h5py.File(path, "r") as file:
            times, lengths = _ragged(file, "spikes/times", "f")
            channels, channel_lengths = _ragged(file, "spikes/units", "iu")
            labels = _list(file, "labels")[:]
            speakers = _list(file, "extra/speaker")[:] if "extra/speaker" in file else None
            names = len(_list(file, "extra/keys")) if "extra/keys" in file else None
    except DataError as error:
        raise DataError(f"{path}: {error}; expected a file in the SHD layout") from None
    except (OSError, RuntimeError, KeyError) as error:  # what h5py raises for foreign and damaged files
        cure = "it may be cut short, compressed or of another format: fetch or unpack it again"
        raise DataError(f"{path}: cannot be read as HDF5 ({error}); {cure}") from error
    if not len(lengths):
        raise DataError(f"{path}: holds no samples; give a file with at least one")
    _check_lengths(path, lengths, channel_lengths)
    return ShdContent(_milliseconds(times), channels, lengths, labels, speakers, names)


def _list(file: Any, key: str) -> Any:
    # Not `file.get`, which would call a damaged object missing.
    if key not in file or not isinstance(file[key], h5py.Dataset) or file[key].ndim != 1:
        raise DataError(f"`{key}` is missing or not a list")
    return file[key]


def _ragged(file: Any, key: str, kinds: str) -> tuple[NDArray[Any], Ints]:
    """The flat values [E] and the lengths [S] of a ragged list of numbers of one of `kinds`."""
    found = _list(file, key)
    dtype = h5py.check_vlen_dtype(found.dtype)
    if dtype is None or np.dtype(dtype).kind not in kinds:
        noun = "floats (seconds)" if kinds == "f" else "whole numbers (channels)"
        raise DataError(f"`{key}` is not a ragged list of {noun}")
    arrays = found[:]
    lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    return concatenate(arrays, dtype), lengths


def _check_lengths(path: str | Path, times: Ints, channels: Ints) -> None:
    if len(times) != len(channels):
        fault = f"{len(times)} samples in `spikes/times` and {len(channels)} in `spikes/units`"
        raise DataError(f"{path}: {fault}; make the two agree")
    if (times != channels).any():
        sample = int(np.argmax(times != channels))
        fault = f"{times[sample]} times and {channels[sample]} channels"
        raise DataError(f"{path}: sample {sample}: {fault}; give one channel a spike")


def _milliseconds(seconds: NDArray[Any]) -> NDArray[Any]:
    # SHD's float16 ends at 65,504 and has steps of 32 there: widen before scaling.
    wide = np.float64 if seconds.dtype.itemsize > 4 else np.float32
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later, by sample
        milliseconds: NDArray[Any] = np.multiply(seconds, 1000, dtype=wide)
    return milliseconds
