"""When the hidden neurons of trained networks spike."""

import numpy as np
import numpy.typing as npt

from model.datasets import SpikeDataset
from model.kernels.simulate import record
from model.network.cohort import Cohort


def hidden_spikes(net: Cohort, data: SpikeDataset, samples: npt.ArrayLike) -> list[SpikeDataset]:
    """The hidden spikes of each of R networks in the same S `samples` of `data`, given by index [S].

    Returns a data set a network, whose channels are the neurons and whose samples are those asked for, in
    their order, with their labels. Times (ms) are those of the scheme, inside its steps.

    Raises ValueError if the data has other channels than the networks.
    """
    chosen = np.asarray(samples, dtype=np.int64)
    if data.n_channels != net.n_channels:
        raise ValueError(
            f"hidden_spikes: `data` has {data.n_channels} channels, the networks {net.n_channels}; load the "
            "data with `n_channels` of the training set"
        )
    shown = np.tile(chosen, (net.replicates, 1))
    begin, times, neurons = record(net.connections(), data, shown, net.config, net.threads)
    found = []
    for r in range(net.replicates):
        bounds = begin[r * len(chosen) : (r + 1) * len(chosen) + 1]
        own = slice(bounds[0], bounds[-1])
        found.append(
            SpikeDataset.from_flat(
                times[own].copy(),
                neurons[own],
                np.diff(bounds),
                data.labels[chosen],
                net.config.hidden,
                data.n_classes,
            )
        )
    return found
