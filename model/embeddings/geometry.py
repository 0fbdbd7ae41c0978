"""Points in a D-dimensional space: drawn at random, and their distances."""

from functools import cache, reduce
from math import pi, sqrt

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from model.config import LearnerConfig


@cache
def cube_side(dimensions: int) -> float:
    """Side of the cube in which two uniform points are at mean distance 1, for any number of dimensions.

    With u the difference along one axis of the unit cube, h(s) = E exp(-s^2 u^2) has a closed form, and
    E ||x - y|| = (1 / sqrt(pi)) integral_0^inf (1 - h(s)^D) / s^2 ds.

    >>> round(cube_side(1), 6)
    3.0
    """

    from scipy.integrate import quad  # a tenth of a second, for whoever draws positions alone

    def integrand(s: float) -> float:
        return float(-np.expm1(dimensions * np.log1p(_axis(s))) / s**2)

    near, _ = quad(integrand, 0, 1)
    far, _ = quad(integrand, 1, np.inf)
    return float(sqrt(pi) / (near + far))


def _axis(s: float) -> float:
    """E exp(-s^2 u^2) - 1 for the distance u of two uniform points in [0, 1]."""
    if s < 0.05:  # the closed form loses its digits
        return -(s**2) / 6 + s**4 / 30 - s**6 / 168
    from scipy.special import erf  # that of `math` differs in last bits, and so would networks that are drawn

    return float(sqrt(pi) / s * erf(s) + np.expm1(-(s**2)) / s**2 - 1)


def side_of(config: LearnerConfig) -> float:
    """Side of the cube in which positions are drawn."""
    return cube_side(config.dimensions) if config.position_range is None else 2 * config.position_range


def draw_positions(neurons: int, config: LearnerConfig, generator: Generator) -> np.ndarray:
    """Positions [N, D], uniform in the cube, by default that in which the mean distance is 1."""
    return generator.uniform(-0.5, 0.5, (neurons, config.dimensions)) * side_of(config)


def draw_delays(neurons: int, config: LearnerConfig, generator: Generator) -> np.ndarray:
    """Delays [N, N] (ms) that neurons would have at positions drawn by `draw_positions`."""
    positions = torch.from_numpy(draw_positions(neurons, config, generator))
    return pairwise_distances(positions).numpy() * config.delay_scale + config.delay_floor


def initial_delays(neurons: int, config: LearnerConfig, generator: Generator) -> np.ndarray:
    """Delays [N, N] (ms) that delays which are learned by themselves begin with."""
    if config.initial_delays == "least":
        return np.full((neurons, neurons), config.delay_floor)
    return draw_delays(neurons, config, generator)


def pairwise_distances(positions: Tensor) -> Tensor:
    """Euclidean distances [..., N, N] of `positions` [..., N, D]; coincident neurons get a zero gradient."""
    return distances_between(positions, positions)


def distances_between(sources: Tensor, targets: Tensor) -> Tensor:
    """Euclidean distances [..., P, N] from `sources` [..., P, D] to `targets` [..., N, D].

    Squares are added axis by axis. Torch's own sum has another order for another D, so that a further axis
    that is all zeros could change the last digit of a distance.
    """
    difference = sources.unsqueeze(-2) - targets.unsqueeze(-3)
    square = reduce(torch.add, difference.square().unbind(-1))
    apart = square != 0  # NaN is no place, least of all the same
    # The inner `where` keeps the root's infinite slope at 0 out of the gradient, the outer one its value.
    return torch.where(apart, torch.where(apart, square, 1).sqrt(), 0)
