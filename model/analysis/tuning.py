"""What the neurons of trained networks follow in the input, and when."""

from dataclasses import dataclass

import numpy as np

from model.analysis.recording import hidden_spikes
from model.arrays import Array
from model.border import kinds_checked
from model.datasets import SpikeDataset
from model.network.cohort import Cohort
from model.topology import preferred_time, receptive_fields


@dataclass(frozen=True)
class Tuning:
    """The tuning of the neurons of R networks by their spikes."""

    fields: Array
    """Receptive fields [R, N, C], see `receptive_fields`; NaN for a silent neuron."""
    times: Array
    """Preferred times [R, N] (ms); NaN for a silent neuron."""


@kinds_checked
def tuning_of(net: Cohort, data: SpikeDataset) -> Tuning:
    """The tuning of the neurons of `net`, by their spikes in all samples of `data`.

    Raises ValueError if the data has other channels than the networks.
    """
    end = net.config.steps * net.config.dt
    hidden = hidden_spikes(net, data, np.arange(len(data)))
    return Tuning(
        np.stack([receptive_fields(data, one, end=end) for one in hidden]),
        np.stack([preferred_time(one) for one in hidden]),
    )
