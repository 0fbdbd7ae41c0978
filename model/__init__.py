"""Spiking networks whose delays are distances: data, kernels, training, measures.

Names are loaded when first used, so that reading a configuration does not wait for torch.
"""

from typing import TYPE_CHECKING, Any

from model.caches import spare_home
from model.config import LearnerConfig

if TYPE_CHECKING:
    from model.datasets import SpikeDataset, load_dataset
    from model.network.cohort import Cohort

spare_home()  # before any of the libraries below that look for one

__all__ = ["Cohort", "LearnerConfig", "SpikeDataset", "load_dataset"]


def __getattr__(name: str) -> Any:
    if name == "Cohort":
        from model.network.cohort import Cohort

        return Cohort
    if name in ("SpikeDataset", "load_dataset"):
        from model import datasets

        return getattr(datasets, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
