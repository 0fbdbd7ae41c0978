"""Moran's I: whether neurons that are alike sit near one another."""

import math

import numpy as np
from scipy.spatial.distance import cdist

from model.arrays import Floats
from model.border import as_array

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
    values, positions = (
        as_array(values, "`values`", np.float64),
        as_array(positions, "`positions`", np.float64),
    )
    if values.ndim != 1 or positions.ndim != 2 or len(positions) != len(values):
        shapes = f"{list(values.shape)} and {list(positions.shape)}"
        raise ValueError(f"`values` and `positions` have the shapes {shapes}, expected [N] and [N, D]")
    known = ~np.isnan(values)
    values, positions = values[known], positions[known]
    if len(values) < 3:
        return math.nan
    z = values - values.mean()
    power = float(z @ z)
    if power <= 1e-18 * float(values @ values):
        return math.nan
    near = _neighbours(positions)
    return float(z @ ((near @ z) / near.sum(1))) / power


def _neighbours(positions: Floats) -> Floats:
    """1 where j is a neighbour of i, [N, N]."""
    distances = cdist(positions, positions)
    np.fill_diagonal(distances, np.inf)
    last = min(NEIGHBOURS, len(positions) - 1) - 1
    reach = np.partition(distances, last, axis=1)[:, last, None]
    near: Floats = (distances <= reach * (1 + 1e-9)).astype(np.float64)
    return near
