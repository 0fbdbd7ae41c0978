"""Moran's I: whether neurons that are alike sit near one another."""

import math

import numpy as np
from scipy.spatial.distance import cdist

from model.arrays import Floats
from model.border import as_array
from model.topology.mantel import FEWEST, correlations
from model.topology.swaps import Match

NEIGHBOURS = 8
"""Nearest neurons that count as neighbours: a number, not a distance, so that any dimension will do."""


def morans_i(values: Floats, positions: Floats) -> float:
    """Moran's I of the `values` [N] of neurons at `positions` [N, D]; a neuron with value NaN is left out.

        I = sum_i z_i (mean of z over the neighbours of i) / sum_i z_i^2,    z = values - their mean.

    Neighbours are the NEIGHBOURS nearest neurons (all others, if there are fewer), with all that are as near
    as the last of them. Range: about -1 (neighbours differ) to 1 (neighbours are alike); -1 / (N - 1) is
    expected of values that do not depend on place. NaN for less than three values or equal ones.

    Source: Moran, Biometrika 37, 17, 1950, doi:10.1093/biomet/37.1-2.17; with the weights of each neuron
    summing to 1, Cliff and Ord, Spatial Processes, Pion, 1981.
    """
    match = moran(values, positions)
    return math.nan if match is None else match.value


def moran(values: Floats, positions: Floats) -> Match | None:
    """What `morans_i` is the value of; None where that is NaN."""
    values, positions = (
        as_array(values, "`values`", np.float64),
        as_array(positions, "`positions`", np.float64),
    )
    if values.ndim != 1 or positions.ndim != 2 or len(positions) != len(values):
        shapes = f"{list(values.shape)} and {list(positions.shape)}"
        raise ValueError(f"`values` and `positions` have the shapes {shapes}, expected [N] and [N, D]")
    known = ~np.isnan(values)
    z = values[known]
    if len(z) < FEWEST:
        return None
    squares = float(z @ z)
    z = z - z.mean()
    power = float(z @ z)
    if power <= 1e-18 * squares:
        return None
    return Match(_neighbours(positions[known]), np.outer(z, z) / power, known)


def field_moran(features: Floats, positions: Floats) -> Match | None:
    """Moran's I of the `features` [N, F] of neurons: how alike a neuron and its neighbours are, on average.

    Alike is what `correlations` finds, so that every neuron counts the same; neighbours as in `morans_i`.
    Range: -1 to 1; about -1 / (N - 1) is expected of features that do not depend on place. None for less than
    three neurons that differ from the average one.
    """
    alike, known = correlations(features)
    if len(alike) < FEWEST:
        return None
    return Match(_neighbours(positions[known]), alike / len(alike), known)


def _neighbours(positions: Floats) -> Floats:
    """What j weighs among the neighbours of i, [n, n]; each row sums to 1."""
    distances = cdist(positions, positions)
    np.fill_diagonal(distances, np.inf)
    last = min(NEIGHBOURS, len(positions) - 1) - 1
    reach = np.partition(distances, last, axis=1)[:, last, None]
    near = (distances <= reach * (1 + 1e-9)).astype(np.float64)
    shares: Floats = near / near.sum(1, keepdims=True)
    return shares
