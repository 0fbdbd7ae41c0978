"""Moves in space: an axis more, an axis less, noise; and why there is none that rescales."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moved import IN_SPACE, SPLITS, WHERE, answers, as_double, trained

from model import Cohort, LearnerConfig
from model.moves import MoveError, Step, apply_steps
from model.network.best import Best
from model.network.checkpoint import pack, unpack
from model.training.trainer import Trainer

UP, DOWN = Step("dimension_up"), Step("dimension_down", {"limit_ms": 1e9})


@pytest.mark.parametrize("where", IN_SPACE)
def test_another_axis_changes_no_bit(where: dict[str, Any]) -> None:
    parent = trained(**where).checkpoint()
    for checkpoint in (parent, as_double(parent)):
        moved = apply_steps(checkpoint, [UP], 0)
        assert moved.config.dimensions == where.get("dimensions", 2) + 1
        before = answers(checkpoint, SPLITS.validation)
        assert before.abs().max() > 0.01
        assert torch.equal(before, answers(moved.checkpoint, SPLITS.validation))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 33), st.sampled_from([torch.float32, torch.float64]), st.integers(0, 1000))
def test_another_axis_changes_no_bit_of_a_delay(dimensions: int, dtype: torch.dtype, seed: int) -> None:
    """In any number of dimensions, where a sum in vectors would have another order."""
    config = LearnerConfig(hidden=6, dimensions=dimensions, duration=30.0, input_embedding="line")
    net = Cohort(config, 4, 3, [seed], dtype=dtype)
    moved = unpack(apply_steps(pack(net, None, 0, Best.start(1)), [UP], 0).checkpoint)[0]
    assert torch.equal(net.delays(), moved.delays())
    assert torch.equal(net.input_delays(), moved.input_delays())  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(0, 1000), st.integers(-3, 3))
def test_up_and_down_again_restores_positions(dimensions: int, seed: int, place: int) -> None:
    """The direction that is left out is the new axis, so that nothing is turned."""
    config = LearnerConfig(hidden=9, dimensions=dimensions, duration=30.0, input_embedding="line")
    net = Cohort(config, 4, 3, [seed, seed + 1])
    with torch.no_grad():
        net.positions.add_(10.0**place)
    moved = apply_steps(pack(net, None, 0, Best.start(1)), [UP, DOWN], 0)
    child = unpack(moved.checkpoint)[0]
    torch.testing.assert_close(
        child.distances(), net.distances(), rtol=1e-5, atol=1e-6 * 10.0 ** max(0, place)
    )
    torch.testing.assert_close(child.positions, net.positions, rtol=1e-5, atol=1e-5)
    assert moved.steps[1].values["distortion_ms"] == pytest.approx(0, abs=1e-4 * 10.0 ** max(0, place))


@pytest.mark.parametrize("where", [one for one in IN_SPACE if one.get("dimensions", 2) == 3])
def test_an_axis_less_is_a_projection_on_principal_components(where: dict[str, Any]) -> None:
    """Against eigenvectors of the covariance; the distortion against a plain loop."""
    parent = trained(**where).checkpoint()
    moved = apply_steps(parent, [DOWN], 0)
    old, new = unpack(parent)[0], unpack(moved.checkpoint)[0]
    found = []
    for r in range(2):
        positions, inputs = old.positions[r].detach().double(), old.input_positions[r].detach().double()
        leading = np.linalg.eigh(np.cov(positions.numpy().T))[1][:, 1:]
        flat, flat_inputs = positions.numpy() @ leading, inputs.numpy() @ leading
        kept = new.positions[r].detach().numpy(), new.input_positions[r].detach().numpy()
        between = np.linalg.norm(flat[:, None] - flat[None], axis=2)
        np.testing.assert_allclose(new.distances()[r].detach().numpy(), between, atol=1e-5)
        from_inputs = np.linalg.norm(flat_inputs[:, None] - flat[None], axis=2)
        np.testing.assert_allclose(
            np.linalg.norm(kept[1][:, None] - kept[0][None], axis=2), from_inputs, atol=1e-5
        )
        worst = 0.0
        for weights, before, after in (
            (old.w_rec[r] * old.mask[r], old.delays()[r], new.delays()[r]),
            (old.w_in[r], old.input_delays()[r], new.input_delays()[r]),  # type: ignore[index]
        ):
            size = weights.detach().abs().numpy().astype(float)
            change = np.abs(after.detach().numpy().astype(float) - before.detach().numpy())
            worst = max(worst, float((size * change).sum() / size.sum()))
        found.append(worst)
    values = moved.steps[0].values
    assert json.loads(str(values["distortions_ms"])) == pytest.approx(found, rel=1e-5)
    assert values["distortion_ms"] == max(json.loads(str(values["distortions_ms"])))
    with pytest.raises(
        MoveError, match=r"step 1, `dimension_down`: delays would change by .* `limit_ms` is 0.001"
    ):
        apply_steps(parent, [Step("dimension_down", {"limit_ms": 1e-3})], 0)
    apply_steps(parent, [Step("dimension_down", {"limit_ms": 1.001 * max(found)})], 0)


def test_noise_is_small_and_drawn_from_the_seed() -> None:
    parent = trained(hidden=40, dimensions=3, input_embedding="line")
    old = parent.net.positions.detach()
    step = Step("jitter", {"size": 1e-3})
    moved = apply_steps(parent.checkpoint(), [step, step], 7)
    new = unpack(moved.checkpoint)[0]
    noise = (new.positions.detach() - old) / 1e-3 / 2**0.5
    assert noise.std().item() == pytest.approx(1, abs=0.15) and abs(noise.mean().item()) < 0.2
    assert torch.equal(new.input_positions, parent.net.input_positions)
    assert moved.steps[0].values["seed"] != moved.steps[1].values["seed"]
    other = unpack(apply_steps(parent.checkpoint(), [step, step], 8).checkpoint)[0]
    assert not torch.equal(new.positions, other.positions)
    assert not torch.equal(noise[0], noise[1])


def test_a_new_axis_is_learned_once_there_is_noise() -> None:
    """Without it the derivative by all of its coordinates is zero."""
    for steps, learned in (([UP], False), ([UP, Step("jitter", {"size": 1e-3})], True)):
        child = Trainer.resume(apply_steps(trained().checkpoint(), steps, 1).checkpoint, SPLITS)
        start = child.net.positions.detach().clone()
        child.run_epoch()
        assert bool((child.net.positions[..., 2] != start[..., 2]).any()) == learned


def test_why_no_move_rescales_space() -> None:
    """Positions divided and the scale multiplied: the same function to the bit, and half the wiring length.

    It would be a cure for an objective and for nothing else. A network has a gauge there, not a property.
    """
    net = trained().net
    before = answers(pack(net, None, 1, Best.start(1)), SPLITS.validation), net.wiring_length()
    config = LearnerConfig(**(vars_of(net.config) | {"delay_scale": 2 * net.config.delay_scale}))
    other = Cohort(config, 6, 2, net.seeds)
    other.load_state_dict(net.state_dict() | {"positions": net.positions.detach() / 2})
    assert torch.equal(before[0], answers(pack(other, None, 1, Best.start(1)), SPLITS.validation))
    torch.testing.assert_close(other.wiring_length(), before[1] / 2)


def vars_of(config: LearnerConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in LearnerConfig.__dataclass_fields__}


@pytest.mark.parametrize("where", [one for one in WHERE if one not in IN_SPACE])
@pytest.mark.parametrize("step", [UP, DOWN, Step("jitter", {"size": 0.1})])
def test_without_positions_there_is_nothing_to_move(where: dict[str, Any], step: Step) -> None:
    with pytest.raises(
        MoveError, match=f"`{step.name}`: networks of `embedding` {where['embedding']} have no pos"
    ):
        apply_steps(trained(**where).checkpoint(), [step], 0)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"dimensions": 1}, "there is 1 dimension, and at least 1 must stay"),
        ({"input_embedding": "circle"}, "a circle needs at least 2 `dimensions`"),
    ],
)
def test_an_axis_that_is_needed_stays(where: dict[str, Any], message: str) -> None:
    with pytest.raises(MoveError, match=message):
        apply_steps(trained(**where).checkpoint(), [DOWN], 0)
