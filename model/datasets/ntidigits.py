"""Reading of N-TIDIGITS: spoken digits as spikes of a silicon cochlea."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

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
    try:
        with h5py.File(path, "r") as file:
            train, test = ([name for name in _names(file, part) if _is_single(name)] for part in PARTS)
            speakers = sorted({_speaker(name) for name in train + test})
            parts = [
                _part(path, file, part, names, speakers)
                for part, names in zip(PARTS, (train, test), strict=True)
            ]
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, AttributeError) as error:  # foreign or damaged
        raise DataError(f"{path}: cannot be read as N-TIDIGITS ({error}); fetch it again") from error
    return parts[0], parts[1]


PARTS = ("train", "test")


def _names(file: Any, part: str) -> list[str]:
    return [name.decode() for name in file[f"{part}_labels"][:]]


def _is_single(name: str) -> bool:
    return len(name.rpartition("-")[2]) == 1


def _speaker(name: str) -> str:
    sex, speaker, _ = name.split("-", 2)
    return f"{sex}-{speaker}"


def _part(path: Path, file: Any, part: str, names: list[str], speakers: list[str]) -> SpikeDataset:
    if not names:
        raise DataError(f"{path}: `{part}_labels` names no single digit; fetch the file again")
    events = []
    for name in names:
        seconds = file[f"{part}_timestamps"][name][:].astype(np.float64)
        events.append(((seconds * 1000).astype(np.float32), file[f"{part}_addresses"][name][:].astype(int)))
    labels = [DIGITS.index(name[-1]) for name in names]
    groups = [speakers.index(_speaker(name)) for name in names]
    try:
        return SpikeDataset.from_events(events, labels, CHANNELS, len(DIGITS), groups)
    except DataError as error:
        raise DataError(f"{path}: {part}: {error}") from None
