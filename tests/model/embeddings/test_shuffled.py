"""Delays dealt out at random: the same ones, and no geometry."""

from dataclasses import replace

import numpy as np
import torch

from model import Cohort, LearnerConfig

CONFIG = LearnerConfig(hidden=40, duration=40.0, delay_scale=8.0, min_delay=2.0, embedding="shuffled")


def delays(config: LearnerConfig, seeds: list[int]) -> np.ndarray:
    net = Cohort(config, 4, 3, seeds, dtype=torch.float64)
    return net.delays().detach().numpy()


def broken_triangles(lengths: np.ndarray) -> float:
    """Share of the triples of neurons i, j, k where going from i to k by j is shorter than at once."""
    n = len(lengths)
    detour = lengths[:, :, None] + lengths[None, :, :]
    apart = np.array([(i, j, k) for i in range(n) for j in range(n) for k in range(n) if len({i, j, k}) == 3])
    i, j, k = apart.T
    return float((detour[i, j, k] < lengths[i, k] - 1e-9).mean())


def test_a_network_has_the_delays_of_a_fixed_one_at_other_synapses() -> None:
    shuffled, fixed = delays(CONFIG, [3, 8]), delays(replace(CONFIG, embedding="fixed"), [3, 8])
    synapses = ~np.eye(40, dtype=bool)
    for r in range(2):
        np.testing.assert_allclose(np.sort(shuffled[r][synapses]), np.sort(fixed[r][synapses]))
        assert (shuffled[r][synapses] == fixed[r][synapses]).mean() < 0.01
    assert not np.array_equal(shuffled[0], shuffled[1])


def test_there_is_no_geometry_in_them() -> None:
    shuffled, fixed = (delays(replace(CONFIG, embedding=name), [3])[0] for name in ("shuffled", "fixed"))
    assert broken_triangles(fixed - 2.0) == 0
    assert broken_triangles(shuffled - 2.0) > 0.03
    np.testing.assert_allclose(fixed, fixed.T)
    pairs = np.triu_indices(40, 1)
    assert abs(np.corrcoef(shuffled[pairs], shuffled.T[pairs])[0, 1]) < 0.15  # and no symmetry


def test_nothing_of_them_is_learned() -> None:
    net = Cohort(CONFIG, 4, 3, [3])
    assert not net.shuffled_delays.requires_grad and not net.has_positions
    assert net.learned_parameters == Cohort(replace(CONFIG, embedding="none"), 4, 3, [3]).learned_parameters
