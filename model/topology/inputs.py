"""How well the input weights of a neuron tell where it sits."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.arrays import Floats

PENALTY = 1.0
"""Of the ridge regression as published, in the units of the squared weights."""

PENALTIES = np.logspace(-3, 4, 8)
"""Among which cross-validation chooses, in units of the mean eigenvalue of `Inputs.kernel`."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Input weights of N neurons, as features of a ridge regression with an intercept."""

    w_in: Floats
    """[C, N]"""

    @cached_property
    def kernel(self) -> tuple[Floats, Floats]:
        """Eigenvalues [N] and eigenvectors [N, N] of X X^T, X the centred features [N, C]."""
        features = self.w_in.T - self.w_in.mean(1)
        values, vectors = np.linalg.eigh(features @ features.T)
        return np.maximum(values, 0), vectors

    def residual_operator(self, penalty: float) -> Floats:
        """G [N, N] such that penalty * G y are the residuals of targets y [N, D] at this penalty.

        With H the centring of targets, G = H (X X^T + penalty I)^-1 H; H takes away the constant vector
        alone, which is an eigenvector of eigenvalue 0.
        """
        values, vectors = self.kernel
        return (vectors / (values + penalty)) @ vectors.T - 1 / (penalty * len(values))


def input_position_r2(inputs: Inputs, positions: Floats) -> float:
    """Share of the variance of positions [N, D] explained by a ridge regression on the input weights, R^2.

    In sample and with the penalty 1, as published: with 700 channels and 128 neurons the regression can
    fit noise, and what it finds depends on the scale of the weights; see `input_position_r2_cv`. R^2 is
    that of all coordinates together, 1 - sum |x_i - x^_i|^2 / sum |x_i - mean|^2, which no rotation changes;
    the paper gives one for each coordinate. Range: 0 to 1. NaN for neurons all in one place.

    Source: Meszaros, Knight, Akarca, Nowotny, "Space as Time Through Neuron Position Learning", 2025, arXiv
    2511.01632.
    """
    total = _spread(positions)
    if math.isnan(total):
        return math.nan
    residuals = PENALTY * inputs.residual_operator(PENALTY) @ positions
    return 1 - float((residuals**2).sum()) / total


def input_position_r2_cv(inputs: Inputs, positions: Floats) -> float:
    """R^2 of positions for neurons that the regression has not seen, by leaving out one after the other.

        1 - sum_i |x_i - x^_i|^2 / sum_i |x_i - mean of the others|^2

    The penalty for neuron i is the one of PENALTIES that does best when each of the other neurons is left
    out as well, so no position has a say in its own prediction. Range: below 0 (worse than the mean of the
    other neurons) to 1. It depends on neither the scale of the weights nor that of space. NaN for N < 4 and
    for neurons all in one place. Our own.

    Nothing is fitted again: with c = G y, the residuals of a set S left out are G_SS^-1 c_S (Dubrule,
    Mathematical Geology 15, 687, 1983, doi:10.1007/BF01033232).
    """
    n = len(positions)
    total = _spread(positions)
    if math.isnan(total) or n < 4:
        return math.nan
    scale = inputs.kernel[0].mean() or 1.0
    alone, by_penalty = np.empty((len(PENALTIES), n)), np.empty((len(PENALTIES), n))
    for k, penalty in enumerate(scale * PENALTIES):
        alone[k], by_penalty[k] = _left_out(inputs.residual_operator(penalty), positions)
    chosen = by_penalty.argmin(0)
    return 1 - float(alone[chosen, np.arange(n)].sum()) / (total * (n / (n - 1)) ** 2)


def _left_out(operator: Floats, positions: Floats) -> tuple[Floats, Floats]:
    """Squared residual of neuron i left out, and the sum of those of all j left out with i, [N] each."""
    moved = operator @ positions
    diagonal = operator.diagonal()
    alone = (moved**2).sum(1) / diagonal**2
    # |G_ii c_j - G_ij c_i|^2, without an array [N, N, D].
    products, squares = moved @ moved.T, (moved**2).sum(1)
    numerator = np.outer(diagonal**2, squares) + operator**2 * squares[:, None]
    numerator -= 2 * diagonal[:, None] * operator * products
    determinant = np.outer(diagonal, diagonal) - operator**2
    np.fill_diagonal(determinant, np.inf)  # i with itself does not count
    return alone, (numerator / determinant**2).sum(1)


def _spread(positions: Floats) -> float:
    """sum_i |x_i - mean|^2; NaN if that is 0 up to rounding."""
    if not len(positions):
        return math.nan
    spread = float(((positions - positions.mean(0)) ** 2).sum())
    return spread if spread > 1e-18 * float((positions**2).sum()) else math.nan
