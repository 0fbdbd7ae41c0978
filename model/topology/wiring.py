"""Wiring: how short the strong synapses are."""

import math

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats
from model.border import as_array
from model.topology.network import Network


def wiring_efficiency(network: Network) -> float:
    """1 - (c - c_min) / (c_max - c_min), with the wiring length c = sum of |w_ij| d_ij over existing pairs.

    c_min and c_max are the least and greatest c that the same weights can have on the same distances: by
    the rearrangement inequality, the strongest weight on the shortest or on the longest distance, and so
    on. Range: 0, the dearest wiring, to 1, the cheapest. Weights in random order give no fixed value: see
    the null networks of `measures`.

    Directed and weighted; NaN where c_min = c_max up to rounding: without synapses, with equal weights
    (all zero, too) or with equal distances. The strongest weights on the shortest distances are the wiring
    that a cost on sum |w| d is after.

    Source: figure 5 C of Meszaros et al., 2025, arXiv 2511.01632, where the diagonal counts as well.
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


def inhibition_reach(network: Network) -> float:
    """How far inhibition reaches: mean length of negative synapses over that of positive ones.

    Both means are weighted by |w|. Above 1 inhibition comes from farther away than excitation, as the
    surround of a receptive field does; below 1 it is the more local of the two.

    Directed and weighted; NaN if there are no synapses of one sign, or the positive ones have no length.
    """
    amounts = network.strengths * network.exists
    below, above = amounts[network.inhibitory], amounts[~network.inhibitory]
    if not below.any() or not above.any():
        return math.nan
    excitation = above @ network.distances[~network.inhibitory] / above.sum()
    inhibition = below @ network.distances[network.inhibitory] / below.sum()
    return float(inhibition / excitation) if excitation > 0 else math.nan


def delay_histogram(
    w_rec: ArrayLike, delays: ArrayLike, bins: int | ArrayLike = 40, mask: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Sum of |w| over the synapses whose delay falls in each bin, [B], and the borders of the bins, [B + 1].

    w_rec, mask: as in `measures`.
    delays: [N, N], in ms or any other unit of at least 0; the borders are in the same.
    bins: how many equal ones from the least to the greatest delay, or their ascending borders.

    Raises ValueError as `measures` does, and for borders that fall.

    >>> delay_histogram([[0, -2], [3, 0]], [[0, 1.5], [4.5, 0]], bins=[0, 3, 6])
    (array([2., 3.]), array([0., 3., 6.]))
    """
    network = Network.of(w_rec, delays, mask)
    strengths, lengths = network.strengths[network.exists], network.distances[network.exists]
    if not isinstance(bins, int):
        bins = as_array(bins, "`bins`", np.float64)
    amounts, borders = np.histogram(lengths, bins, weights=strengths)
    return amounts, borders.astype(np.float64)
