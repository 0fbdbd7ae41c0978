"""Small files in the layouts of published data sets."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

NTIDIGITS_TRAIN = ["woman-ac-a-1", "man-ae-b-z", "man-ae-a-12", "man-ae-a-o"]
NTIDIGITS_TEST = ["man-bc-a-9", "woman-ac-b-o"]


def write_shd(
    path: Path, times: list[Any], units: list[Any], labels: Any, *, kind: Any = np.float16, **extra: Any
) -> Path:
    """A file in the SHD layout; times in seconds."""
    with h5py.File(path, "w") as file:
        for key, rows, dtype in (("spikes/times", times, kind), ("spikes/units", units, np.uint16)):
            ragged = file.create_dataset(key, (len(rows),), dtype=h5py.vlen_dtype(dtype))
            for i, row in enumerate(rows):
                ragged[i] = np.array(row, dtype=dtype)
        file["labels"] = np.array(labels, dtype=np.uint16)
        for name, values in extra.items():
            file[f"extra/{name}"] = values
    return path


def write_numbered(
    path: Path, labels: list[int], *, first: int = 0, speakers: list[int] | None = None
) -> Path:
    """A file in the SHD layout; sample i has one spike, at (first + i) seconds on channel first + i."""
    count = len(labels)
    with h5py.File(path, "w") as file:
        for key, dtype in (("spikes/times", np.float16), ("spikes/units", np.uint16)):
            ragged = file.create_dataset(key, (count,), dtype=h5py.vlen_dtype(dtype))
            for i in range(count):
                ragged[i] = np.array([first + i], dtype=dtype)
        file["labels"] = np.array(labels, dtype=np.uint16)
        if speakers is not None:
            file["extra/speaker"] = np.array(speakers, dtype=np.uint16)
    return path


def write_ntidigits(path: Path, train: list[str] = NTIDIGITS_TRAIN, test: list[str] = NTIDIGITS_TEST) -> Path:
    """A file in the layout of N-TIDIGITS; sample i of a part spikes at i / 8 and 1/16 seconds."""
    with h5py.File(path, "w") as file:
        for part, names in (("train", train), ("test", test)):
            file[f"{part}_labels"] = np.array([name.encode() for name in names], "S16")
            for i, name in enumerate(names):
                file[f"{part}_timestamps/{name}"] = np.array([i / 8, 1 / 16])
                file[f"{part}_addresses/{name}"] = np.array([63, i], dtype=np.float32)
    return path
