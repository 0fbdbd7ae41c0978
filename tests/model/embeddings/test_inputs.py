"""Where input channels sit."""

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig
from model.config import INPUT_EMBEDDINGS
from model.embeddings.geometry import cube_side
from model.embeddings.inputs import ARRANGEMENTS, Inputs, circle_positions, line_positions


def test_every_arrangement_has_the_name_that_a_configuration_gives() -> None:
    assert ("none", *ARRANGEMENTS) == INPUT_EMBEDDINGS


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_channels_on_a_line_are_as_far_apart_as_their_numbers(dimensions: int) -> None:
    positions = line_positions(5, LearnerConfig(dimensions=dimensions))
    np.testing.assert_allclose(np.diff(positions[:, 0]), cube_side(dimensions) / 4)
    assert (positions[:, 1:] == 0).all() and positions.mean() == pytest.approx(0.0)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_channels_on_a_circle_touch_the_cube(dimensions: int) -> None:
    positions = circle_positions(6, LearnerConfig(dimensions=dimensions))
    np.testing.assert_allclose(np.linalg.norm(positions, axis=1), cube_side(dimensions) / 2)
    np.testing.assert_allclose(positions.mean(0), 0, atol=1e-12)


def test_inputs_nowhere_have_no_delays() -> None:
    inputs = Inputs(LearnerConfig())
    assert inputs.draw(4) == {} and inputs.delays({}, 30.0) is None


@pytest.mark.parametrize("learned", [False, True])
def test_delays_of_inputs_are_their_distances(learned: bool) -> None:
    config = LearnerConfig(
        hidden=3,
        duration=40.0,
        delay_scale=7.0,
        pool_channels=2,
        input_embedding="circle",
        learn_input_positions=learned,
    )
    net = Cohort(config, 8, 2, [0, 1], dtype=torch.float64)
    assert net.input_positions.shape == (2, 4, 2) and net.input_positions.requires_grad == learned
    found = net.input_delays()
    assert found is not None
    expected = 7.0 * torch.cdist(net.input_positions, net.positions)
    torch.testing.assert_close(found, expected)
