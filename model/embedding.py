"""Where delays come from: distances between neurons in a D-dimensional space."""

from functools import cache
from math import pi, sqrt

import numpy as np
import torch
from numpy.random import Generator
from scipy.integrate import quad
from scipy.special import erf
from torch import Tensor


@cache
def cube_side(dimensions: int) -> float:
    """Side of the cube in which two uniform points are at mean distance 1, for any number of dimensions.

    With u the difference along one axis of the unit cube, E exp(-t u^2) has a closed form h(t), and
    E ||x - y|| = (1 / sqrt(pi)) integral_0^inf (1 - h(s^2)^D) / s^2 ds.

    >>> round(cube_side(1), 6)
    3.0
    """

    def integrand(s: float) -> float:
        h = sqrt(pi) / s * erf(s) - (1 - np.exp(-(s**2))) / s**2
        return float((1 - h**dimensions) / s**2)

    # Below 1e-3 the integrand is flat (D / 6) and its closed form loses its digits.
    tail, _ = quad(integrand, 1e-3, np.inf, limit=200)
    return float(sqrt(pi) / (tail + 1e-3 * dimensions / 6))


def draw_positions(neurons: int, dimensions: int, generator: Generator) -> np.ndarray:
    """Positions [N, D], uniform in the cube in which the mean distance is 1."""
    return generator.uniform(-0.5, 0.5, (neurons, dimensions)) * cube_side(dimensions)


def pairwise_distances(positions: Tensor) -> Tensor:
    """Euclidean distances [..., N, N] of `positions` [..., N, D]; coincident neurons get a zero gradient."""
    difference = positions.unsqueeze(-2) - positions.unsqueeze(-3)
    square = difference.square().sum(-1)
    apart = square > 0
    # The inner `where` keeps the root's infinite slope at 0 out of the gradient, the outer one its value.
    return torch.where(apart, torch.where(apart, square, 1).sqrt(), 0)
