"""Spike data: what the networks learn from.

`load` finds a data set by name or path and splits it; `spikes` holds one in flat arrays.
"""

from model.datasets.config import DataConfig
from model.datasets.load import Splits, load_dataset, load_splits
from model.datasets.ragged import DataError, Ragged
from model.datasets.spikes import SpikeDataset

__all__ = ["DataConfig", "DataError", "Ragged", "SpikeDataset", "Splits", "load_dataset", "load_splits"]
