"""When the hidden neurons of trained networks spike."""

import numpy as np
import numpy.typing as npt

from model.datasets import SpikeDataset
from model.kernels.cpu.events import gather
from model.kernels.cpu.forward import run_pairs
from model.kernels.cpu.problem import make_problem
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
    config, n = net.config, net.config.hidden
    w_in, input_delays = net.w_in.detach().numpy(), net.input_delays()
    problem = make_problem(
        w_in,
        net.w_rec.detach().numpy(),
        net.delays().detach().contiguous().numpy(),
        None if input_delays is None else input_delays.detach().numpy(),
        net.mask.numpy(),
        gather(data, chosen, config, w_in.dtype),
        np.tile(np.arange(len(chosen)), (net.replicates, 1)),
        config,
    )
    pairs = net.replicates * len(chosen)
    features, counts = np.empty((2, pairs, n), w_in.dtype)
    begin, spikes = run_pairs(0, pairs, problem, features, counts)
    times = (spikes.step + spikes.phase.astype(np.float64)) * config.dt
    found = []
    for r in range(net.replicates):
        bounds = begin[r * len(chosen) : (r + 1) * len(chosen) + 1]
        own = slice(bounds[0], bounds[-1])
        found.append(
            SpikeDataset.from_flat(
                times[own].copy(), spikes.neuron[own], np.diff(bounds), data.labels[chosen], n, data.n_classes
            )
        )
    return found
