"""Global efficiency: how short the ways through the network are."""

import math

import numpy as np
from scipy.sparse.csgraph import floyd_warshall

from model.arrays import Floats
from model.topology.network import Network


def global_efficiency(network: Network) -> float:
    """Mean over all ordered pairs of neurons of 1 / (length of the shortest way from one to the other).

    A synapse is max |w| / |w_ij| long: strong synapses are short. Range: 0 to 1, reached where all pairs are
    connected with equal weights. A pair without a way counts 0, so disconnected networks have a value; NaN
    without a synapse of non-zero weight.

    Directed and weighted. Source: Latora and Marchiori, PRL 87, 198701, 2001,
    doi:10.1103/PhysRevLett.87.198701.
    """
    return _efficiency(network.relative)


def global_efficiency_binary(network: Network) -> float:
    """Global efficiency with every synapse of non-zero weight 1 long: how few synapses apart neurons are.

    It is 1, and so is that of its nulls, where no weight is zero. Directed, not weighted.
    """
    return _efficiency((network.strengths > 0).astype(np.float64))


def _efficiency(strengths: Floats) -> float:
    if not strengths.any():
        return math.nan
    ways = shortest_ways(strengths)
    np.fill_diagonal(ways, np.inf)
    return float((1 / ways).sum()) / (len(ways) * (len(ways) - 1))


def shortest_ways(strengths: Floats) -> Floats:
    """Length of the shortest way from i to j, [N, N], over synapses 1 / strength long; inf: there is none."""
    with np.errstate(divide="ignore", over="ignore"):
        lengths = 1 / strengths
    # Floyd and Warshall's N^3 steps are not slower than N searches by Dijkstra: trained networks are dense.
    ways: Floats = floyd_warshall(lengths)
    return ways
