"""The samples that trained networks are shown once more for their pictures."""

from functools import lru_cache

from model import SpikeDataset
from model.datasets import DataConfig, load_splits

SAMPLES = 128
"""Held-out samples that a network is shown."""


@lru_cache(maxsize=1)
def held_out(config: DataConfig) -> tuple[str, SpikeDataset]:
    """The name of the held-out split, and its first SAMPLES samples.

    Raises OSError or ValueError if the data is not there or can't be read.
    """
    name, data = load_splits(config).held_out
    return name, data.subset(slice(SAMPLES))
