"""Wiring efficiency: how short the strong synapses are."""

import math

import numpy as np

from model.topology.network import Network


def wiring_efficiency(network: Network, seed: int = 0) -> float:
    """1 - (c - c_min) / (c_max - c_min), with the wiring length c = sum of |w_ij| d_ij over existing pairs.

    c_min and c_max are the least and greatest c that the same weights can have on the same distances: by
    the rearrangement inequality, the strongest weight on the shortest or on the longest distance, and so
    on. Range: 0, the dearest wiring, to 1, the cheapest. Weights in random order give no fixed value: see
    the null networks of `measures`.

    Directed and weighted; NaN where c_min = c_max up to rounding: without synapses, with equal weights
    (all zero, too) or with equal distances. `seed` is not used.
    """
    strengths = network.strengths[network.exists]
    distances = network.distances[network.exists]
    ascending = np.sort(strengths)
    least = ascending @ np.sort(distances)[::-1]
    most = ascending @ np.sort(distances)
    if most - least <= 1e-9 * most:
        return math.nan
    efficiency = 1 - (strengths @ distances - least) / (most - least)
    return float(np.clip(efficiency, 0, 1))  # rounding may step over an end
