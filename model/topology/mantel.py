"""The correlation of Mantel: whether neurons are the less alike the farther apart they sit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from model.arrays import Floats
from model.topology.swaps import Match, radius

FEWEST = 3
"""Neurons, for two pairs can always be put in order."""


def correlations(features: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Correlations [n, n] of how the neurons' `features` [N, F] depart from the average; which n of the N.

    What all neurons share, such as that some channels spike more than others, would make all of them alike.
    In the average every neuron has mean 0 and length 1, or the strongest would be most of it. Left out are
    neurons with a feature that is NaN, with equal features, and those just like the average.
    """
    known = ~np.isnan(features).any(1) & (features.shape[1] > 0)
    rows = features[known]
    if not len(rows):
        return np.zeros((0, 0)), known
    own, differs = _standardised(rows, np.linalg.norm(rows, axis=1))
    known[known] = differs
    if not len(own):
        return np.zeros((0, 0)), known
    apart, differs = _standardised(own - own.mean(0), np.ones(len(own)))
    known[known] = differs
    return apart @ apart.T, known


def _standardised(rows: Floats, scale: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The `rows` [n, F] with mean 0 and length 1, but for those of equal values; which are left, [n].

    scale: of each row [n]; values are equal where they differ by rounding on that scale.
    """
    apart = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(apart, axis=1)
    differs = length > 1e-9 * scale
    return apart[differs] / length[differs, None], differs


def mantel(features: Floats, positions: Floats) -> Match | None:
    """Rank correlation, over pairs of neurons, of how unlike their features are with their distance.

    Unlike is 1 less what `correlations` finds of the `features` [N, F], distance that of `positions` [N, D],
    and the correlation Spearman's, of all pairs i < j. Range: -1 to 1, where the farther are the more unlike.
    None for less than three neurons, and if all pairs are alike in one of the two.

    Sources: Mantel, Cancer Research 27, 209, 1967; with ranks, Dietz, Systematic Zoology 32, 21, 1983,
    doi:10.2307/2413216.
    """
    alike, known = correlations(features)
    if len(alike) < FEWEST:
        return None
    distances = cdist(positions[known], positions[known])
    places, neurons = _ranks(distances), _ranks(1 - alike)
    return None if places is None or neurons is None else Match(places / 2, neurons, known)


def _ranks(values: Floats) -> Floats | None:
    """Ranks of the pairs i < j of symmetric `values` [n, n], mean 0 and sum of squares 1; None if equal."""
    i, j = np.triu_indices(len(values), 1)
    # Equal but for rounding is equal.
    ranks = _ranked(np.round(values[i, j] / (np.abs(values).max() or 1.0), 12))
    ranks -= ranks.mean()
    size = float(np.sqrt(ranks @ ranks))
    if size == 0:
        return None
    found = np.zeros_like(values)
    found[i, j] = ranks / size
    return found + found.T


def _ranked(values: NDArray[np.floating[Any]]) -> Floats:
    """Ranks of `values` [n] from 1 on; equal ones share the mean of theirs. None is NaN.

    As `scipy.stats.rankdata`, without loading all of scipy.stats, which takes a third of a second.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = np.cumsum(counts) - (counts - 1) / 2
    return ranks[place]


def radius_rank(values: Floats, positions: Floats) -> Match | None:
    """Rank correlation of the `values` [N] of neurons with their distance from the centre of all `positions`.

    Range: -1 to 1, where values rise outwards. A neuron with value NaN is left out. None for less than three
    values, or equal ones.
    """
    known = ~np.isnan(values)
    if known.sum() < FEWEST:
        return None
    away = radius(positions)
    pair = [_ranked(np.round(one / (np.abs(one).max() or 1.0), 12)) for one in (away[known], values[known])]
    pair = [one - one.mean() for one in pair]
    size = np.sqrt((pair[0] @ pair[0]) * (pair[1] @ pair[1]))
    if size == 0:
        return None
    return Match(np.diag(pair[0] / size), np.diag(pair[1]), known)
