"""Modularity: how far strong synapses stay within communities of neurons."""

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Ints
from model.border import as_array
from model.topology.network import Network


def modularity(network: Network) -> float:
    """Greatest modularity Q found over all partitions into communities.

        Q = sum_ij (|w_ij| / m - s_i^out s_j^in / m^2) [i and j in one community],    m = sum_ij |w_ij|,

    with s the sums of |w| that leave and reach a neuron. Range: 0 (no better than one community) to below 1.
    It is a lower bound, found by the Leiden algorithm, which never does worse than Louvain's, as published.

    Directed and weighted. Parts of a disconnected network are communities apart; NaN without a synapse of
    non-zero weight.

    Sources: Leicht and Newman, PRL 100, 118703, 2008, doi:10.1103/PhysRevLett.100.118703 (Q);
    Traag, Waltman, van Eck, Scientific Reports 9, 5233, 2019, doi:10.1038/s41598-019-41695-z (Leiden).
    """
    return network.partition.modularity


def communities(w_rec: ArrayLike, seed: int = 0, mask: ArrayLike | None = None) -> Ints:
    """Community of each neuron, [N], from 0 for the largest: the partition whose `modularity` is reported.

    w_rec, seed, mask: as in `measures`. A neuron without synapses is a community of its own.
    """
    weights = as_array(w_rec, "`w_rec`", np.float64)
    return Network.of(weights, np.zeros_like(weights), mask, seed).partition.members
