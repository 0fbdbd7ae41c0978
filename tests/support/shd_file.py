"""Small files in the layout of SHD."""

from pathlib import Path

import h5py
import numpy as np


def write_shd(path: Path, samples: int, classes: int = 3, channels: int = 40, seed: int = 0) -> None:
    """Samples whose spikes come later the higher their class is; the last channel is among them."""
    draw = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (samples,), dtype=h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (samples,), dtype=h5py.vlen_dtype(np.int64))
        for n, label in enumerate(labels):
            times[n] = np.sort(0.1 * label + draw.uniform(0, 0.3, 60))
            units[n] = np.append(draw.integers(0, channels, 59), channels - 1)
        file.create_dataset("labels", data=labels)
