"""Limits of space, of delays and of the signs of weights: kept at the start, in training, and by moves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model import Cohort, LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.embeddings.limits import MARGIN, SpaceLimits
from model.layers import Layers
from model.moves import Step, apply_steps
from model.network.signs import keep_signs, kinds_of, signed
from model.topology import measures
from model.training.trainer import Trainer

MakeData = Callable[..., SpikeDataset]


def cloud(seed: int, neurons: int, dimensions: int, spread: float = 1.0) -> torch.Tensor:
    """Positions of two networks."""
    return torch.from_numpy(np.random.default_rng(seed).normal(0, spread, (2, neurons, dimensions)))


def nearest(positions: torch.Tensor) -> float:
    """The least distance of two neurons of one network."""
    distances = torch.cdist(positions, positions)
    return float(distances[:, ~torch.eye(positions.shape[1], dtype=torch.bool)].min())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0.1, 3), st.sampled_from(["half_side", "radius"]))
def test_a_position_goes_to_the_nearest_point_within(
    seed: int, dimensions: int, size: float, name: str
) -> None:
    before = cloud(seed, 20, dimensions, 2.0)
    after = before.clone()
    SpaceLimits(**{name: size}).project(after)
    order = float("inf") if name == "half_side" else 2.0
    assert (torch.linalg.vector_norm(after, order, dim=2) <= size * (1 + 1e-12)).all()
    within = torch.linalg.vector_norm(before, order, dim=2) <= size
    assert torch.equal(after[within], before[within])
    # Nearest: no point within makes an acute angle with the way back, seen from where it ends.
    others = torch.from_numpy(np.random.default_rng(seed + 1).uniform(-1, 1, (200, dimensions))) * size
    others = others[torch.linalg.vector_norm(others, order, dim=1) <= size]
    way = (before - after).unsqueeze(2)
    assert (((others - after.unsqueeze(2)) * way).sum(3) <= 1e-9).all()


def test_neurons_are_pushed_apart_and_those_far_enough_stay() -> None:
    positions = torch.tensor([[[0.0, 0.0], [0.1, 0.0], [5.0, 0.0]]])
    SpaceLimits(least_distance=0.5).project(positions)
    half = 0.25 * (1 + MARGIN)
    expected = torch.tensor([[[0.05 - half, 0.0], [0.05 + half, 0.0], [5.0, 0.0]]])
    assert torch.allclose(positions, expected, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_a_crowd_is_at_last_as_far_apart_as_is_asked_for(seed: int, dimensions: int) -> None:
    positions = cloud(seed, 30, dimensions)
    limits = SpaceLimits(least_distance=0.3)
    for _ in range(5):
        limits.project(positions)
    assert nearest(positions) >= 0.3
    kept = positions.clone()
    limits.project(kept)
    assert torch.equal(kept, positions)


def test_neurons_at_one_place_part() -> None:
    positions = torch.zeros(1, 4, 2)
    for _ in range(5):
        SpaceLimits(least_distance=0.2, radius=1.0).project(positions)
    assert nearest(positions) >= 0.2 and (positions.norm(dim=2) <= 1).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 1), st.floats(0.3, 2), st.sampled_from(["half_side", "radius"]))
def test_a_grid_has_no_point_outside(seed: int, grid: float, size: float, name: str) -> None:
    limits = SpaceLimits(**{name: size}, grid=grid)
    positions = cloud(seed, 20, 2)
    limits.project(positions)
    before = positions.clone()
    limits.settle(positions)
    steps = positions / grid
    assert torch.allclose(steps, steps.round(), atol=1e-9)
    order = float("inf") if name == "half_side" else 2.0
    assert (torch.linalg.vector_norm(positions, order, dim=2) <= size * (1 + 1e-9)).all()
    inner = torch.linalg.vector_norm(before, order, dim=2) < size - grid
    assert ((positions - before).abs()[inner] <= grid / 2 * (1 + 1e-9)).all()


def test_signs_are_those_of_the_neuron_and_weights_are_balanced() -> None:
    layers = Layers((100, 50))
    excitatory = kinds_of(layers, 0.8)
    assert excitatory[:80].all() and not excitatory[80:100].any()
    assert excitatory[100:140].all() and not excitatory[140:].any()
    drawn = np.random.default_rng(0).normal(0, 0.1, (150, 150))
    weights = signed(drawn, excitatory)
    assert (weights[excitatory] >= 0).all() and (weights[~excitatory] <= 0).all()
    assert abs(weights.mean()) < 2e-3  # 0.08 if they were not balanced
    assert np.sqrt((weights**2).mean()) == pytest.approx(0.1, rel=0.03)
    assert (signed(drawn, np.ones(150, bool)) == np.abs(drawn)).all()


def test_a_weight_of_the_wrong_sign_becomes_zero() -> None:
    w_rec = torch.tensor([[[0.0, 1.0, -1.0], [2.0, 0.0, -2.0], [0.0, 3.0, 0.0]]])
    keep_signs(w_rec, torch.tensor([[True, False, False]]))
    assert w_rec.tolist() == [[[0.0, 1.0, 0.0], [0.0, 0.0, -2.0], [0.0, 0.0, 0.0]]]


LIMITED: list[dict[str, Any]] = [
    {"excitatory": 0.75},
    {"excitatory": 0.5, "wiring_cost": 0.1, "embedding": "free", "max_delay": 12.0},
    {"space_shape": "box", "space_size": 0.4},
    {"space_shape": "ball", "space_size": 0.5, "least_distance": 0.1},
    {"max_delay": 15.0},
    {"position_grid": 0.25, "space_shape": "ball", "space_size": 1.1},
    {"embedding": "axonal", "max_delay": 9.0},
]


def check_limits(net: Cohort) -> None:
    """Fail unless a network is within the limits of its configuration."""
    config = net.config
    if config.max_delay is not None:
        assert float(net.delays().detach().max()) <= config.max_delay * (1 + 1e-5)
    if net.excitatory is not None:
        up = net.excitatory[..., None]
        assert (torch.where(up, net.w_rec, -net.w_rec) >= 0).all()
    if config.space_size is not None:
        order = float("inf") if config.space_shape == "box" else 2.0
        sizes = torch.linalg.vector_norm(net.positions, order, dim=2)
        assert (sizes <= config.space_size * (1 + 1e-5)).all()
    if config.least_distance is not None:
        assert nearest(net.positions.detach()) >= 0.99 * config.least_distance
    if config.position_grid is not None:
        steps = net.positions / config.position_grid
        assert torch.allclose(steps, steps.round(), atol=1e-5)


@pytest.mark.parametrize("limits", LIMITED)
def test_limits_hold_in_training_and_bind(limits: dict[str, Any], random_data: MakeData) -> None:
    data = random_data()
    config = LearnerConfig(
        hidden=8,
        epochs=3,
        batch_size=4,
        learning_rate=1.0,
        position_learning_rate=0.3,
        duration=20.0,
        **limits,
    )
    trainer = Trainer(config, Splits(data, data, None), [0, 1])
    check_limits(trainer.net)
    first = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    while not trainer.finished:
        trainer.run_epoch()
        check_limits(trainer.net)
    again = Trainer.resume(trainer.checkpoint(), Splits(data, data, None))
    assert again.checkpoint() == trainer.checkpoint()
    changed = [
        name for name, value in trainer.net.state_dict().items() if not torch.equal(value, first[name])
    ]
    assert "w_rec" in changed


def test_moves_carry_the_kinds_of_neurons(random_data: MakeData) -> None:
    data = random_data()
    config = LearnerConfig(hidden=6, epochs=1, duration=20.0, excitatory=0.5)
    trainer = Trainer(config, Splits(data, data, None), [0])
    steps = [
        Step("split", {"count": 2, "neurons": "[[1, 4]]"}),
        Step("remove", {"count": 1, "neurons": "[[0]]"}),
    ]
    moved = apply_steps(trainer.checkpoint(), steps, seed=0)
    child = Trainer.resume(moved.checkpoint, Splits(data, data, None))
    assert child.net.excitatory is not None
    assert child.net.excitatory.tolist() == [[True, True, False, False, False, True, False]]
    child.net.project()
    check_limits(child.net)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space_shape": "box"}, "`space_size` is missing beside `space_shape`"),
        ({"space_size": 1.0}, "`space_shape` is missing beside `space_size`"),
        ({"least_distance": 0.1, "embedding": "free"}, "`least_distance`: needs positions that are learned"),
        ({"position_grid": 0.1, "least_distance": 0.1}, "may put two neurons on one point"),
        ({"max_delay": 1.0}, "`max_delay`: got 1, expected more than the least delay, 1 ms"),
        ({"max_delay": 9.0, "embedding": "fixed"}, "`max_delay`: delays of fixed are not learned"),
        ({"max_delay": 9.0, "learn_delay_scale": True}, "no space has a longest delay"),
        (
            {"space_shape": "ball", "space_size": 1.0, "least_distance": 1.0},
            "128 neurons can't all be 1 apart",
        ),
        ({"excitatory": 0.8, "start": "a.npz"}, "the weights of a `start` have their own signs"),
        ({"excitatory": 1.5}, "excitatory"),
    ],
)
def test_faults_are_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="LearnerConfig") as found:
        LearnerConfig(**given)
    assert said in str(found.value)


def test_inhibition_reach_is_a_ratio_of_weighted_lengths() -> None:
    w_rec = np.array([[0, 1.0, -2.0], [3.0, 0, -1.0], [0, 0, 0]])
    distances = np.array([[0, 1.0, 4.0], [2.0, 0, 1.0], [4.0, 1.0, 0]])
    found = measures(w_rec, distances, nulls=0)
    assert found["inhibition_reach"] == pytest.approx((2 * 4 + 1) / 3 / ((1 + 3 * 2) / 4))
    assert np.isnan(measures(np.abs(w_rec), distances, nulls=0)["inhibition_reach"])


def test_a_surround_is_told_from_signs_dealt_at_random() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (40, 2))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    surround = np.where(distances < 0.6, 1.0, -1.0) * rng.uniform(0.5, 1, (40, 40))
    found = measures(surround, distances, nulls=50, seed=1, compared=["inhibition_reach"])
    assert found["inhibition_reach"] > 1.5 and found["inhibition_reach_z"] > 5
    mixed = rng.permuted(surround.ravel()).reshape(40, 40)
    assert abs(measures(mixed, distances, nulls=50, compared=["inhibition_reach"])["inhibition_reach_z"]) < 3
