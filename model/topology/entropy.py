"""Entropies: over how many targets a neuron spreads what it sends."""

import math

import numpy as np
from scipy.linalg import expm

from model.arrays import Floats
from model.topology.network import Network


def weight_entropy(network: Network) -> float:
    """Mean over the neurons of the Shannon entropy (bits) of |w_ij| / sum_j |w_ij|.

    Range: 0 (every neuron has one target) to log2(N - 1) (equal weights to all). A neuron that sends nothing
    counts 0, as published. Directed and weighted; NaN without a synapse of non-zero weight.

    Source: Sheeran, Ham, Astle, Achterberg, Akarca, "Spatial embedding promotes a specific form of modularity
    with low entropy and heterogeneous spectral dynamics", arXiv 2409.17693.
    """
    return _mean_entropy(network.relative) if network.strengths.any() else math.nan


def communicability_entropy(network: Network) -> float:
    """Mean entropy (bits) of the rows of the communicability exp(S^-1/2 |W| S^-1/2).

    S are the strengths that leave. Communicability sums the ways of all lengths from one neuron to another,
    that of no step included. Range: 0 to log2(N). As published, a neuron that sends nothing is left out of
    all ways, and its own entropy is 0. Directed and weighted; NaN without a synapse of non-zero weight.

    Sources: Crofts and Higham, J. R. Soc. Interface 6, 411, 2009, doi:10.1098/rsif.2008.0484 (normalised
    communicability); Sheeran et al., as for `weight_entropy`.
    """
    if not network.strengths.any():
        return math.nan
    sent = network.relative.sum(1)
    senders = np.flatnonzero(sent)
    sent = sent[senders]
    # exp(S^-1/2 W S^-1/2) = S^1/2 exp(S^-1 W) S^-1/2. The rows of S^-1 W sum to at most 1, so its exponential
    # cannot overflow, whatever the strengths are; the factor of a row has no part in that row's entropy.
    steps = network.relative[np.ix_(senders, senders)] / sent[:, None]
    ways = np.maximum(0, expm(steps)) * np.sqrt(sent.min() / sent)  # rounding may fall below 0
    return _mean_entropy(ways) * len(senders) / len(network)


def _mean_entropy(amounts: Floats) -> float:
    """Mean entropy (bits) of the rows of `amounts` [N, N] of at least 0; an empty row counts 0."""
    total = amounts.sum(1, keepdims=True)
    shares = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    logarithms = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(np.maximum(0, -(shares * logarithms).sum(1)).mean())
