"""Clustering: how strongly the partners of a neuron are connected with one another."""

import math

import numpy as np

from model.arrays import Floats
from model.topology.network import Network


def clustering(network: Network) -> float:
    """Mean over the neurons of the weighted directed clustering coefficient, triangles of all directions.

        C_i = [(V + V^T)^3]_ii / (2 (d_i (d_i - 1) - 2 b_i)),    V_ij = (|w_ij| / max |w|)^(1/3),

    with d_i the number of synapses of non-zero weight that leave or reach neuron i and b_i that of its
    partners in both directions. C_i = 0 for a neuron with less than two partners. Range: 0 (no triangle) to
    1 (all possible triangles, with equal weights).

    Directed and weighted. Parts of a disconnected network count as they are; NaN if no neuron has two
    partners, so without synapses or for N < 3.

    Source: Fagiolo, Physical Review E 76, 026107, 2007, doi:10.1103/PhysRevE.76.026107.
    """
    triangles, possible = _triangles(network.relative)
    return _mean(triangles, possible) if possible.any() else math.nan


def mean_coefficient(strengths: Floats) -> float:
    """The mean C_i of relative `strengths` [N >= 1, N], 0 where no neuron has two partners."""
    return _mean(*_triangles(strengths))


def _mean(triangles: Floats, possible: Floats) -> float:
    return float(np.divide(triangles, possible, out=np.zeros(len(possible)), where=possible > 0).mean())


def _triangles(strengths: Floats) -> tuple[Floats, Floats]:
    """Weighted number of triangles at each neuron, and that of all possible ones at strength 1, [N]."""
    roots = np.cbrt(strengths)
    both = roots + roots.T
    triangles = ((both @ both) * both).sum(1) / 2
    synapses = (strengths > 0).astype(np.float64)
    degree = synapses.sum(0) + synapses.sum(1)
    return triangles, degree * (degree - 1) - 2 * (synapses * synapses.T).sum(1)
