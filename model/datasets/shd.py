"""Reading of HDF5 files in the layout of the Spiking Heidelberg Digits (SHD), into flat arrays."""

from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from model.arrays import Ints
from model.datasets.config import TIME_UNITS, TimeUnit
from model.datasets.hdf5 import check_sources, find, in_native_order, opened
from model.datasets.ragged import DataError, concatenate
from model.datasets.time_unit import check_unit, milliseconds

EXPECTED = "expected a file in the SHD layout"


class ShdContent(NamedTuple):
    """What a file holds, unchecked but for its layout: S samples, E spikes."""

    times: NDArray[Any]  # [E], ms
    channels: NDArray[Any]  # [E]
    lengths: Ints  # spikes in each sample, [S]
    labels: NDArray[Any]  # [S]
    speakers: NDArray[Any] | None  # [S]
    class_names: int | None  # how many


def read_shd(path: str | Path, time_unit: TimeUnit | None = None) -> ShdContent:
    """The content of the file at `path`, times turned from `time_unit` (None: s) into ms.

    Times become float32, or float64 if that is needed to hold what the file has.

    Raises DataError if the file is missing, locked, truncated, not HDF5, not in this layout or without
    samples, and if its samples are too long or too short for the unit of time.
    """
    if time_unit not in (None, *TIME_UNITS):
        raise DataError(f"`time_unit`: got {time_unit!r}, expected one of {', '.join(TIME_UNITS)}")
    with opened(path) as file:
        times, lengths = _ragged(file, "spikes/times", "f" if time_unit is None else "fiu")
        channels, channel_lengths = _ragged(file, "spikes/units", "iu")
        labels = _list(file, "labels")[:]
        speakers = _list(file, "extra/speaker")[:] if find(file, "extra/speaker") is not None else None
        names = len(_list(file, "extra/keys")) if find(file, "extra/keys") is not None else None
        if not len(lengths):
            raise DataError("holds no samples; give a file with at least one")
        _check_lengths(lengths, channel_lengths)
        times = milliseconds(times, time_unit)
        check_unit(times, lengths, time_unit)
    return ShdContent(times, channels, lengths, labels, speakers, names)


def _list(file: h5py.File, key: str) -> Any:
    found = find(file, key)
    if not isinstance(found, h5py.Dataset) or found.ndim != 1:
        raise DataError(f"`{key}` is missing or not a list; {EXPECTED}")
    check_sources(found, key)
    return found


def _ragged(file: h5py.File, key: str, kinds: str) -> tuple[NDArray[Any], Ints]:
    """The flat values [E] and the lengths [S] of a ragged list of numbers of one of `kinds`."""
    found = _list(file, key)
    dtype = h5py.check_vlen_dtype(found.dtype)
    if dtype is None or np.dtype(dtype).kind not in kinds:
        noun = {"f": "floats (seconds)", "fiu": "numbers (times)", "iu": "whole numbers (channels)"}[kinds]
        whole = kinds == "f" and dtype is not None and np.dtype(dtype).kind in "iu"
        cure = "; if they are whole numbers of ms or us, say so by `time_unit`" if whole else ""
        raise DataError(f"`{key}` is not a ragged list of {noun}; {EXPECTED}{cure}")
    arrays = found[:]
    lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    return in_native_order(concatenate(arrays, dtype), np.dtype(dtype)), lengths


def _check_lengths(times: Ints, channels: Ints) -> None:
    if len(times) != len(channels):
        fault = f"{len(times)} samples in `spikes/times` and {len(channels)} in `spikes/units`"
        raise DataError(f"{fault}; make the two agree")
    if (times != channels).any():
        sample = int(np.argmax(times != channels))
        fault = f"{times[sample]} times and {channels[sample]} channels"
        raise DataError(f"sample {sample}: {fault}; give one channel a spike")
