"""When the hidden neurons of trained networks spike."""

import numpy as np
import numpy.typing as npt

from model.arrays import Array
from model.border import kinds_checked, sample_indices
from model.datasets import SpikeDataset
from model.kernels.simulate import record, uncompiled
from model.network.cohort import Cohort

BATCH = 256
"""Samples run at once: a run keeps more of every spike than its time."""


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
    parts: list[list[tuple[Array, Array, Array]]] = [[] for _ in range(net.replicates)]
    for start in range(0, max(1, len(chosen)), BATCH):
        batch = chosen[start : start + BATCH]
        shown = np.tile(batch, (net.replicates, 1))
        begin, times, neurons = record(net.connections(), data, shown, net.config, net.threads)
        for r, own in enumerate(parts):
            bounds = begin[r * len(batch) : (r + 1) * len(batch) + 1]
            spikes = slice(bounds[0], bounds[-1])
            own.append((times[spikes].copy(), neurons[spikes].copy(), np.diff(bounds)))
    joined = (map(np.concatenate, zip(*own, strict=True)) for own in parts)
    return [
        SpikeDataset.from_flat(
            times, neurons, lengths, data.labels[chosen], net.config.neurons, data.n_classes
        )
        for times, neurons, lengths in joined
    ]
