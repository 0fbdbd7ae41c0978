"""When the hidden neurons of trained networks spike."""

import numpy as np
import numpy.typing as npt

from model.border import kinds_checked, sample_indices
from model.datasets import SpikeDataset
from model.kernels.simulate import record, uncompiled
from model.network.cohort import Cohort


@uncompiled
@kinds_checked
def hidden_spikes(net: Cohort, data: SpikeDataset, samples: npt.ArrayLike) -> list[SpikeDataset]:
    """The hidden spikes of each of R networks in the same S `samples` of `data`, given by index [S].

    Returns a data set a network, whose channels are the neurons and whose samples are those asked for, in
    their order, with their labels. Times (ms) are those of the scheme, inside its steps.

    Raises ValueError if the data has other channels than the networks or `samples` is not [S], IndexError if
    a sample is not in the data.
    """
    net.check_data(data)
    chosen = sample_indices(samples, len(data), "hidden_spikes: `samples`")
    if chosen.ndim != 1:
        raise ValueError(f"hidden_spikes: `samples`: got shape {list(chosen.shape)}, expected [S]")
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
