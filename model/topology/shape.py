"""In how many dimensions a cloud of neurons really lies, whatever its configuration says."""

import math

import numpy as np

from model.arrays import Floats
from model.border import real_array


def effective_dimension(positions: Floats) -> float:
    """Participation ratio of the covariance of `positions` [N, D]: tr(C)² / tr(C²), from 1 to D.

    A cloud that is round in D dimensions has D; one that is a thousandth as thick along an axis as along the
    others has D - 1. It does not depend on how the cloud is turned, nor on its size. NaN where all neurons
    are in one place.

    Source: Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy, Ganguli, bioRxiv 214262, 2017, doi:10.1101/214262.

    >>> effective_dimension(np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    2.0
    """
    covariance = _covariance(positions, "effective_dimension")
    squares = float((covariance**2).sum())
    return float(covariance.trace()) ** 2 / squares if squares > 0 else math.nan


def last_axis_share(positions: Floats) -> float:
    """Share of the variance of `positions` [N, D] that is along their last axis, from 0 to 1.

    The last axis is the one that a move to one more dimension has added. 1 in one dimension; NaN where all
    neurons are in one place.

    >>> round(last_axis_share(np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])), 6)
    0.1
    """
    covariance = _covariance(positions, "last_axis_share")
    total = float(covariance.trace())
    return float(covariance[-1, -1]) / total if total > 0 else math.nan


def _covariance(positions: Floats, where: str) -> Floats:
    positions = real_array(positions, f"{where}: `positions`", "N, D")
    if not all(positions.shape):
        raise ValueError(
            f"{where}: `positions`: got shape {list(positions.shape)}, expected a neuron and an axis"
        )
    centred = positions - positions.mean(0)
    size = float(np.abs(centred).max())
    if size > 0:
        centred = centred / size  # neither measure depends on the size, and squares stay within bounds
    covariance: Floats = centred.T @ centred / len(positions)
    return covariance
