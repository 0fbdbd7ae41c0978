"""Modularity: how far strong synapses stay within communities of neurons."""

import math

import igraph
import leidenalg
import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.topology.network import Network

RUNS = 3  # the Leiden algorithm is greedy and random: the best of a few runs counts


def modularity(network: Network, seed: int = 0) -> float:
    """Greatest modularity Q found over all partitions into communities, directed and weighted.

        Q = sum_ij (|w_ij| / m - s_i^out s_j^in / m^2) [i and j in one community],    m = sum_ij |w_ij|,

    with s the sums of |w| that leave and reach a neuron. Range: 0 (no better than one community) to below 1.
    It is a lower bound, found by the Leiden algorithm. NaN without a synapse of non-zero weight.

    Sources: Leicht and Newman, PRL 100, 118703, 2008, doi:10.1103/PhysRevLett.100.118703 (Q);
    Traag, Waltman, van Eck, Scientific Reports 9, 5233, 2019, doi:10.1038/s41598-019-41695-z (Leiden).
    """
    return _best_partition(network, seed)[1]


def communities(w_rec: ArrayLike, seed: int = 0, mask: ArrayLike | None = None) -> NDArray[np.int64]:
    """Community of each neuron, [N], from 0 for the largest: the partition whose `modularity` is reported.

    w_rec, mask: as in `measures`. A neuron without synapses is a community of its own.
    """
    weights = np.asarray(w_rec, dtype=np.float64)
    return _best_partition(Network.of(weights, np.zeros_like(weights), mask), seed)[0]


def _best_partition(network: Network, seed: int) -> tuple[NDArray[np.int64], float]:
    pre, post = np.nonzero(network.strengths)
    size = len(network.strengths)
    if not len(pre):
        return np.arange(size), math.nan
    graph = igraph.Graph(n=size, edges=list(zip(pre.tolist(), post.tolist(), strict=True)), directed=True)
    strengths = network.strengths[pre, post]
    weights = (strengths / strengths.max()).tolist()  # Q has no scale, but tiny weights would underflow
    seeds = np.random.default_rng(seed).integers(2**31, size=RUNS).tolist()
    partitions = [
        leidenalg.find_partition(
            graph, leidenalg.ModularityVertexPartition, weights=weights, n_iterations=-1, seed=one
        )
        for one in seeds
    ]
    best = max(partitions, key=lambda partition: partition.quality())
    return np.array(best.membership, dtype=np.int64), float(best.quality())
