"""Small-world propensity: clustered like a lattice, with ways as short as in a random network."""

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components

from model.arrays import Floats
from model.topology.clustering import mean_coefficient
from model.topology.network import Network
from model.topology.paths import shortest_ways


def small_world_propensity(network: Network) -> float:
    """1 - sqrt((dC^2 + dL^2) / 2), with C the clustering and L the mean length of shortest ways,

        dC = (C_lattice - C) / (C_lattice - C_random),    dL = (L - L_random) / (L_lattice - L_random),

    each kept within 0 and 1. Range: 0 to 1, a small world. Lattice and random network have the same
    neurons and weights: the lattice is a ring whose strongest weights tie the nearest neurons, in the random
    network the weights lie anywhere; one of each is drawn from the network's seed.

    Weighted; the published measure knows no direction, so it is that of (|W| + |W|^T) / 2, where clustering
    is Onnela's and a way is 1 / weight long. Only the largest connected part counts, and in the networks
    to compare with the pairs that have a way. NaN where that part has less than four neurons, or where
    the lattice is not more clustered, and its ways longer, than the random network's: with equal weights
    between all pairs, and in dense networks of few neurons. In dense networks of many, C differs between the
    two by parts of a hundred, so that small changes of C move the value much.

    Source: Muldoon, Bridgeford, Bassett, Scientific Reports 6, 22057, 2016, doi:10.1038/srep22057.
    """
    weights = _largest_part((network.relative + network.relative.T) / 2)
    if len(weights) < 4:
        return math.nan
    weights = weights / weights.max()
    rng = np.random.default_rng(network.seed)
    own, lattice, random = (_look(one) for one in (weights, _lattice(weights, rng), _random(weights, rng)))
    by_clustering = _share(lattice.clustering - own.clustering, lattice.clustering - random.clustering)
    by_length = _share(own.length - random.length, lattice.length - random.length)
    return 1 - math.sqrt((by_clustering**2 + by_length**2) / 2)


class _Look(NamedTuple):
    clustering: float
    length: float


def _look(weights: Floats) -> _Look:
    ways = shortest_ways(weights)
    np.fill_diagonal(ways, np.inf)
    return _Look(mean_coefficient(weights), float(ways[np.isfinite(ways)].mean()))


def _share(part: float, whole: float) -> float:
    """part / whole within 0 and 1; NaN without a whole."""
    return float(np.clip(part / whole, 0, 1)) if whole > 1e-9 else math.nan


def _largest_part(weights: Floats) -> Floats:
    """Rows and columns of the neurons in the largest connected part of symmetric `weights`."""
    if not weights.any():
        return weights[:0, :0]
    part = connected_components(weights, directed=False)[1]
    largest = np.flatnonzero(part == np.bincount(part).argmax())
    return weights[np.ix_(largest, largest)]


def _lattice(weights: Floats, rng: np.random.Generator) -> Floats:
    i, j = np.triu_indices(len(weights), 1)
    apart = np.minimum(j - i, len(weights) - (j - i))
    return _placed(weights, np.lexsort((rng.random(len(apart)), apart)))


def _random(weights: Floats, rng: np.random.Generator) -> Floats:
    n = len(weights)
    return _placed(weights, rng.permutation(n * (n - 1) // 2))


def _placed(weights: Floats, order: np.ndarray) -> Floats:
    """The weights from the strongest on, laid on pairs (i < j) in `order`.

    Nothing but `weights` sorted enters: how neurons are numbered does not matter.
    """
    i, j = np.triu_indices(len(weights), 1)
    placed = np.zeros_like(weights)
    placed[i[order], j[order]] = np.sort(weights[i, j])[::-1]
    return placed + placed.T
