"""Positions flying off or falling together, and weights huge, zero, or of one sign."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset
from model.training.wiring_cost import cost_in_loss

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
Match = Callable[..., Tensor]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
IN_SPACE: list[dict[str, Any]] = [
    {},
    {"learn_delay_scale": True},
    {"input_embedding": "line", "learn_input_positions": True, "learn_delay_scale": True},
]


def learned_gradients(net: Cohort, loss: Tensor) -> dict[str, Tensor]:
    learned = {name: p for name, p in net.named_parameters() if p.requires_grad and "out" not in name}
    return dict(zip(learned, torch.autograd.grad(loss, list(learned.values())), strict=True))


def lowered(net: Cohort) -> Cohort:
    """The same cohort in float32."""
    low = Cohort(net.config, net.n_channels, net.n_classes, net.seeds)
    low.load_state_dict(net.state_dict())
    return low


@pytest.mark.parametrize("config", IN_SPACE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("far", [1e6, 1e12, 1e18])
def test_neurons_flying_off_leave_the_others_as_they_are(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any], dtype: torch.dtype, far: float
) -> None:
    """Forward and backward, every number finite, and no memory for delays that no sample lasts."""
    net, data = lively_net(**config), random_data()
    with torch.no_grad():
        net.positions[:, 3] = far
        net.positions[:, 4, 0] = -far
    net = net if dtype == torch.float64 else lowered(net)
    out = net(data, SAMPLES)
    assert out.counts[:, :, :3].sum() > 10
    grads = learned_gradients(net, out.features[:, :, :3].sum())
    assert all(grad.isfinite().all() for grad in grads.values())
    assert (grads["positions"][:, 3:] == 0).all() and (grads["positions"][:, :3] != 0).any()
    net.mask[:, 3:] = net.mask[:, :, 3:] = False
    with torch.no_grad():
        net.positions[:, 3:] = 0.1  # near, but cut off
    near = net(data, SAMPLES)
    torch.testing.assert_close(out.features[:, :, :3], near.features[:, :, :3], rtol=0, atol=0)
    expected = learned_gradients(net, near.features[:, :, :3].sum())
    scale = 1e-5 if dtype == torch.float32 else 1e-12
    for name, grad in grads.items():
        torch.testing.assert_close(grad, expected[name], rtol=scale, atol=scale * float(grad.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_wiring_cost_of_neurons_flying_off_is_finite(lively_net: MakeNet, dtype: torch.dtype) -> None:
    net = lively_net(wiring_cost=1e-5, cost_on="both")
    with torch.no_grad():
        net.positions[:, 3] = 1e12
    net = net if dtype == torch.float64 else lowered(net)
    cost = cost_in_loss(net)
    assert cost is not None and cost.isfinite().all() and net.wiring_length().isfinite().all()
    assert torch.autograd.grad(cost.sum(), net.positions)[0].isfinite().all()


@pytest.mark.parametrize("config", IN_SPACE)
@pytest.mark.parametrize("place", [0.0, 0.3, -1e12])
def test_coincident_neurons(
    lively_net: MakeNet, random_data: MakeData, match_naive: Match, config: dict[str, Any], place: float
) -> None:
    """Three neurons at one place, one of the others elsewhere: delays of the least length, no NaN."""
    net = lively_net(**config)
    with torch.no_grad():
        net.positions[:, :3] = place
    assert match_naive(net, random_data(), SAMPLES).sum() > 10
    assert (net.delays()[:, :3, :3] == net.config.delay_floor).all()
    with torch.no_grad():
        net.positions[:] = place
    grads = learned_gradients(net, net(random_data(), SAMPLES).features.sum())
    assert all(grad.isfinite().all() for grad in grads.values())
    assert "input_positions" in grads or (grads["positions"] == 0).all()


@pytest.mark.parametrize("size", [1e3, 1e6])
@pytest.mark.parametrize("sign", ["mixed", "positive"])
def test_huge_weights(
    lively_net: MakeNet, random_data: MakeData, match_naive: Match, size: float, sign: str
) -> None:
    net, data = lively_net(), random_data()
    with torch.no_grad():
        for weights in (net.w_in, net.w_rec):
            weights.mul_(size)
            if sign == "positive":
                weights.abs_()
    counts = match_naive(net, data, SAMPLES)
    assert counts.max() > 0.8 * net.config.steps
    low = lowered(net)
    out = low(data, SAMPLES)
    # A neuron may be pushed across threshold by the rounding of a potential of a million.
    assert (out.counts - counts).abs().max() <= 1
    assert all(grad.isfinite().all() for grad in learned_gradients(low, out.features.sum()).values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sign", [0.0, -1.0])
def test_weights_that_excite_nobody(
    lively_net: MakeNet, random_data: MakeData, dtype: torch.dtype, sign: float
) -> None:
    """A silent network answers with its biases and learns nothing but those."""
    net, data = lively_net(), random_data()
    with torch.no_grad():
        net.w_in.abs_().mul_(sign)
        net.w_rec.abs_().mul_(sign)
        net.b_out.copy_(torch.tensor([0.5, -1.0, 2.0]).expand(2, 3))
    net = net if dtype == torch.float64 else lowered(net)
    out = net(data, SAMPLES)
    assert (out.counts == 0).all() and (out.features == 0).all()
    assert (out.logits == net.b_out[:, None]).all()
    assert all((grad == 0).all() for grad in learned_gradients(net, out.logits.square().sum()).values())


def test_silenced_recurrence_is_no_recurrence(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data()
    with torch.no_grad():
        net.w_rec.zero_()
    zero = net(data, SAMPLES)
    assert zero.counts.sum() > 10
    assert (learned_gradients(net, zero.features.sum())["w_rec"][net.mask] != 0).any()
    net.mask[:] = False
    torch.testing.assert_close(net(data, SAMPLES).features, zero.features, rtol=0, atol=0)


def test_inhibition_alone_acts(lively_net: MakeNet, random_data: MakeData, match_naive: Match) -> None:
    net, data = lively_net(), random_data()
    free = net(data, SAMPLES).counts.sum()
    with torch.no_grad():
        net.w_rec.abs_().mul_(-5)
    assert match_naive(net, data, SAMPLES).sum() < 0.8 * free


def test_a_huge_space_needs_no_more_memory_than_its_sample() -> None:
    """Every delay is longer than the sample, in float32 and with a scale that takes it to 1e20 ms."""
    config = LearnerConfig(hidden=3, duration=20.0, delay_scale=1e8)
    net = Cohort(config, 1, 2, [0])
    with torch.no_grad():
        net.positions.mul_(1e12)
        net.w_in.fill_(20.0)
        net.w_rec.fill_(100.0)
    data = SpikeDataset.from_events([([1.5], [0])], [0], 1, 2)
    assert net.delays().max() > 1e19
    out = net(data, [[0]])
    assert (out.counts > 0).all() and (out.features == out.features[0, 0, 0]).all()
