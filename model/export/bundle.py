"""What an export is written from: one network, what its neurons do, and samples with its spikes."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from model.analysis.evaluation import evaluate
from model.analysis.snapshot import neurons_of
from model.analysis.tuning import tuning_of
from model.arrays import Array, Ints
from model.border import kinds_checked, whole
from model.datasets import SpikeDataset
from model.datasets.split import spread
from model.exchange.plain import PlainNetwork
from model.network.cohort import Cohort

OBSERVED = 512
"""Samples at most that the neurons are observed on."""
COLUMNS = ("layer", "module", "preferred_channel", "preferred_class", "rate", "selectivity", "preferred_time")
"""What is told of each neuron, under the names of the table `neurons`."""
FINE = 0.02
"""Longest step (ms) of the second, finer run of the spikes that other simulators are compared with."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """One network of N neurons with what goes along with it into the files."""

    network: PlainNetwork
    columns: dict[str, Array]
    """What each neuron does [N], by the names of `COLUMNS`."""
    samples: SpikeDataset
    """The samples that go along, for spikes to be compared on."""
    expand: bool = False
    """For NIR: whether what it cannot hold is brought in; see `model.export.nir`."""

    def of_network(self, network: PlainNetwork) -> "Bundle":
        """The same with another network in place of its own, such as one on a grid."""
        return replace(self, network=network)

    @property
    def fine_step(self) -> float:
        """A step (ms) of at most FINE that the network's own is a multiple of."""
        dt = self.network.config.dt
        return dt / float(np.ceil(dt / FINE - 1e-9))

    @cached_property
    def hidden(self) -> SpikeDataset:
        """The hidden spikes in the samples, in steps of the network's own `dt`."""
        return self.network.spikes(self.samples)

    @cached_property
    def fine(self) -> SpikeDataset:
        """The hidden spikes in the samples, in steps of `fine_step`, where the scheme's error is small."""
        return self.network.at_step(self.fine_step).spikes(self.samples)

    @property
    def inputs(self) -> tuple[Array, Ints, Ints]:
        """The samples' input spikes: times (ms) and inputs [E], and where each sample begins [S + 1].

        Spikes after the end of a sample are left out, as the network does.
        """
        config, times = self.network.config, self.samples.times.flat
        inside = times < config.steps * config.dt
        ends = np.concatenate([[0], np.cumsum(inside)])[self.samples.times.offsets]
        inputs = self.samples.channels.flat[inside].astype(np.int64) // config.pool_channels
        return times[inside].astype(np.float64), inputs, ends


@kinds_checked
def bundle_of(
    net: Cohort, replicate: int, data: SpikeDataset, samples: int = 20, expand: bool = False
) -> Bundle:
    """Network number `replicate` of `net`, as it answers to `data`, with some samples of it.

    Args:
        net: trained networks.
        replicate: which of them.
        data: held-out samples: neurons are observed on up to OBSERVED of them.
        samples: so many go along, spread over `data`; all, where there are fewer.
        expand: for NIR.

    Raises ValueError if there is no such replicate, the data does not fit the network or has no samples.
    """
    network = PlainNetwork.of(net, replicate)
    count = whole(samples, "bundle_of: `samples`", 1)
    net.check_data(data)
    if not len(data):
        raise ValueError("bundle_of: `data` has no samples")
    seen = data.subset(spread(len(data), OBSERVED))
    neurons = neurons_of(net, evaluate(net, seen), tuning_of(net, seen), 0)
    columns = {name: np.asarray(getattr(neurons, name)[replicate]) for name in COLUMNS}
    return Bundle(network, columns, data.subset(spread(len(data), count)), expand)
