"""Positions at the start, and distances."""

import numpy as np
import pytest
import torch

from model import LearnerConfig
from model.embeddings.geometry import cube_side, draw_positions, pairwise_distances


@pytest.mark.parametrize(("dimensions", "mean"), [(1, 1 / 3), (2, 0.5214054331), (3, 0.6617071822)])
def test_mean_distance_in_the_unit_cube_is_known(dimensions: int, mean: float) -> None:
    """Closed forms: 1/3, (2 + sqrt 2 + 5 asinh 1) / 15, and Robbins' constant."""
    assert cube_side(dimensions) == pytest.approx(1 / mean, rel=1e-6)


@pytest.mark.parametrize("dimensions", [1, 4, 16, 100])
def test_drawn_positions_have_mean_distance_one(dimensions: int) -> None:
    positions = draw_positions(800, LearnerConfig(dimensions=dimensions), np.random.default_rng(0))
    distances = pairwise_distances(torch.from_numpy(positions)).numpy()
    assert distances.sum() / (800 * 799) == pytest.approx(1.0, rel=0.05)


def test_distances_are_euclidean_with_exact_gradient() -> None:
    positions = torch.randn((2, 5, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    positions.requires_grad_()
    expected = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    torch.testing.assert_close(pairwise_distances(positions), expected)
    assert torch.autograd.gradcheck(pairwise_distances, positions)
