"""Spike data: what the networks learn from.

`load` finds a data set by name or path and splits it; `spikes` holds one in flat arrays. Names are loaded
when first used, so that naming a data set does not load what reads it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from model.datasets.config import DataConfig

if TYPE_CHECKING:
    from model.datasets.load import Splits, load_dataset, load_splits
    from model.datasets.ragged import DataError, Ragged
    from model.datasets.spikes import SpikeDataset

__all__ = ["DataConfig", "DataError", "Ragged", "SpikeDataset", "Splits", "load_dataset", "load_splits"]

_HOMES = {
    "DataError": "ragged",
    "Ragged": "ragged",
    "SpikeDataset": "spikes",
    "Splits": "load",
    "load_dataset": "load",
    "load_splits": "load",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"model.datasets.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
