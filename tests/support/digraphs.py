"""Networks whose measures are known, as matrices [N, N] of weights; row i holds what leaves neuron i."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def random_digraph(size: int, density: float, seed: int) -> Floats:
    """Normal weights on each ordered pair with a chance of `density`."""
    rng = np.random.default_rng(seed)
    weights: Floats = rng.normal(size=(size, size)) * (rng.random((size, size)) < density)
    np.fill_diagonal(weights, 0)
    return weights


def complete(size: int) -> Floats:
    """All pairs, weight 1."""
    return 1 - np.eye(size)


def ring(size: int, reach: int = 1) -> Floats:
    """A lattice: each neuron with the `reach` next ones, in both directions."""
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    apart = np.minimum(apart, size - apart)
    near: Floats = ((apart > 0) & (apart <= reach)).astype(np.float64)
    return near


def cycle(size: int) -> Floats:
    """0 > 1 > 2 > ... > 0, in one direction."""
    return np.roll(np.eye(size), 1, axis=1)


def star(size: int) -> Floats:
    """Neuron 0 with all others, in both directions."""
    weights = np.zeros((size, size))
    weights[0, 1:] = weights[1:, 0] = 1
    return weights


def cliques(number: int, size: int) -> Floats:
    """Complete parts, apart from one another."""
    return np.asarray(np.kron(np.eye(number), complete(size)), dtype=np.float64)


def distances_between(positions: Any) -> Floats:
    """Euclidean distances [N, N] of positions [N, D]."""
    return np.asarray(np.linalg.norm(positions[:, None] - positions, axis=-1))
