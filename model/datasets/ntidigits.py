"""Reading of N-TIDIGITS: spoken digits as spikes of a silicon cochlea."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.datasets.hdf5 import opened
from model.datasets.ragged import DataError
from model.datasets.spikes import SpikeDataset

CHANNELS = 64
DIGITS = "o123456789z"  # two ways to say 0; a digit's class is its place here


def read_ntidigits(path: Path) -> tuple[SpikeDataset, SpikeDataset]:
    """Training and test set of the single digits in the file at `path`: 64 channels, 11 classes.

    The layout: `<part>_labels` lists names such as `man-ae-a-1` (sex, speaker, take, digits), and the spikes
    of each stand in `<part>_timestamps/<name>` (seconds) and `<part>_addresses/<name>` (the channel), with
    train and test as part. Groups are speakers, numbered over both parts.

    Raises DataError if the file cannot be read as such.

    Source: Anumula, Neil, Delbruck, Liu, Front. Neurosci. 12:23, 2018, doi:10.3389/fnins.2018.00023.
    """
    with opened(path, "N-TIDIGITS") as file:
        train, test = ([name for name in _names(file, part) if _is_single(name)] for part in PARTS)
        speakers = sorted({_speaker(name) for name in train + test})
        parts = [_part(file, part, names, speakers) for part, names in zip(PARTS, (train, test), strict=True)]
    return parts[0], parts[1]


PARTS = ("train", "test")


def _names(file: Any, part: str) -> list[str]:
    return [name.decode() for name in file[f"{part}_labels"][:]]


def _is_single(name: str) -> bool:
    return len(name.rpartition("-")[2]) == 1


def _speaker(name: str) -> str:
    sex, speaker, _ = name.split("-", 2)
    return f"{sex}-{speaker}"


def _part(file: Any, part: str, names: list[str], speakers: list[str]) -> SpikeDataset:
    if not names:
        raise DataError(f"`{part}_labels` names no single digit; fetch the file again")
    events = []
    for name in names:
        seconds = file[f"{part}_timestamps"][name][:].astype(np.float64)
        channels = _whole(f"{part}_addresses/{name}", file[f"{part}_addresses"][name][:])
        events.append(((seconds * 1000).astype(np.float32), channels))
    labels = [DIGITS.index(name[-1]) for name in names]
    groups = [speakers.index(_speaker(name)) for name in names]
    try:
        return SpikeDataset.from_events(events, labels, CHANNELS, len(DIGITS), groups)
    except DataError as error:
        raise DataError(f"{part}: {error}") from None


def _whole(place: str, channels: NDArray[Any]) -> NDArray[np.int64]:
    """Channels as whole numbers; the published file has them as floats."""
    with np.errstate(invalid="ignore"):  # of NaN
        whole = channels.astype(np.int64)
    if (whole != channels).any():
        fault = channels[whole != channels][0]
        raise DataError(f"`{place}`: {fault} is no channel; fetch the file again")
    return whole
