"""Spoken digits that come with the package: real speech in which the order of sounds matters."""

from dataclasses import replace
from importlib.resources import as_file, files

import numpy as np

from model.datasets.spikes import SpikeDataset

CHANNELS, CLASSES = 70, 10
STEP = 0.25
"""The unit of the times that are kept (ms)."""


def load_spoken_digits() -> tuple[SpikeDataset, SpikeDataset, SpikeDataset]:
    """Training, validation and test split: 1,000, 200 and 300 recordings of the digits zero to nine.

    70 channels, 0 hearing the highest pitch; 10 classes; groups are the speakers. Four speakers train, a
    fifth is for validation, and the test has 150 recordings of these five and 150 of a sixth, whom nothing
    else has heard. About 700 spikes a sample, most of them within 0.6 s, all within 2.2 s.

    Source: the Free Spoken Digit Dataset (github.com/Jakobovski/free-spoken-digit-dataset), made into spikes
    by the cochlea of the Spiking Heidelberg Digits (Cramer et al., 2020), then pooled; the notice beside the
    file says how, and gives the licence, CC BY-SA 4.0.
    """
    with as_file(files("model.datasets") / "files" / "spoken_digits.npz") as path, np.load(path) as arrays:
        train, validation, test = (_part(arrays, split) for split in ("train", "validation", "test"))
    return train, validation, test


def _part(arrays: np.lib.npyio.NpzFile, split: str) -> SpikeDataset:
    ends = np.cumsum(arrays[f"{split}_counts"].astype(np.int64))[:-1]
    times = np.split(arrays[f"{split}_steps"] * np.float32(STEP), ends)
    channels = np.split(arrays[f"{split}_channels"].astype(np.int64), ends)
    events = list(zip(times, channels, strict=True))
    labels, groups = (arrays[f"{split}_{name}"].astype(np.int64) for name in ("labels", "speakers"))
    return replace(SpikeDataset.from_events(events, labels, CHANNELS, CLASSES), groups=groups)
