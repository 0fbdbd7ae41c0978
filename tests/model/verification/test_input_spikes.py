"""Input spikes at the same time, on step borders, and at the ends of a sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model import Cohort, SpikeDataset

MakeNet = Callable[..., Cohort]
Match = Callable[..., Tensor]
Sample = tuple[Any, Any]
INPUTS: list[dict[str, Any]] = [{}, {"input_embedding": "line", "learn_input_positions": True}]


def one_sample(times: Any, channels: Any) -> SpikeDataset:
    return SpikeDataset.from_events([(times, channels)], [0], 4, 3)


def random_sample(spikes: int = 25) -> Sample:
    draw = np.random.default_rng(4)
    return np.sort(draw.uniform(0, 40, spikes)), draw.integers(0, 4, spikes)


def features_and_gradients(net: Cohort, sample: Sample) -> list[Tensor]:
    out = net(one_sample(*sample), [[0]] * net.replicates)
    assert out.counts.sum() > 10
    return [out.features, *torch.autograd.grad(out.features.sum(), [net.w_in, net.w_rec, net.positions])]


def assert_same(found: list[Tensor], expected: list[Tensor], rtol: float = 1e-9) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=rtol, atol=rtol * other.abs().max().item())


@pytest.mark.parametrize("config", INPUTS)
def test_two_spikes_at_once_on_a_channel_are_one_of_twice_the_weight(
    lively_net: MakeNet, config: dict[str, Any]
) -> None:
    net, (times, channels) = lively_net(**config), random_sample()
    twice = features_and_gradients(net, (np.repeat(times, 2), np.repeat(channels, 2)))
    with torch.no_grad():
        net.w_in.mul_(2)
    once = features_and_gradients(net, (times, channels))
    once[1] *= 2  # dL/dw where the weight that arrives is 2 w
    assert_same(twice, once)


def test_spikes_at_once_on_two_channels_are_one_of_the_summed_weights(lively_net: MakeNet) -> None:
    net, (times, channels) = lively_net(), random_sample()
    both = np.repeat(times, 2), np.stack([0 * channels, 0 * channels + 1], 1).reshape(-1)
    features, by_input, *rest = features_and_gradients(net, both)
    with torch.no_grad():
        net.w_in[:, 2] = net.w_in[:, 0] + net.w_in[:, 1]
    expected, by_sum, *others = features_and_gradients(net, (times, 0 * channels + 2))
    assert_same(
        [features, by_input[:, 0], by_input[:, 1], *rest], [expected, by_sum[:, 2], by_sum[:, 2], *others]
    )


@pytest.mark.parametrize("config", INPUTS)
def test_the_order_of_spikes_at_once_does_not_matter(lively_net: MakeNet, config: dict[str, Any]) -> None:
    net, (times, channels) = lively_net(**config), random_sample(40)
    times = np.floor(times / 5) * 5 + 0.3
    order = np.lexsort([np.random.default_rng(0).random(40), times])
    assert (times[order] == times).all() and (channels[order] != channels).any()
    assert_same(
        features_and_gradients(net, (times, channels[order])), features_and_gradients(net, (times, channels))
    )


@pytest.mark.parametrize("config", INPUTS)
@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
def test_spikes_on_step_borders(
    lively_net: MakeNet, match_naive: Match, config: dict[str, Any], dt: float
) -> None:
    net, (times, channels) = lively_net(dt=dt, **config), random_sample()
    data = one_sample(np.round(times / dt) * dt, channels)
    assert match_naive(net, data, [[0], [0]]).sum() > 10


@pytest.mark.parametrize("config", INPUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("dt", [0.1, 0.3, 1.0])
def test_a_spike_on_a_border_is_the_limit_from_either_side(
    lively_net: MakeNet, config: dict[str, Any], dtype: Any, dt: float
) -> None:
    """Which step a border belongs to is a matter of rounding, and of no consequence."""
    net, (times, channels) = lively_net(dt=dt, **config), random_sample()
    border = (np.round(times / dt) * dt).astype(dtype)
    at, below, above = (
        net(one_sample(shifted, channels), [[0], [0]])
        for shifted in (border, np.nextafter(border, dtype(0)), np.nextafter(border, dtype(100)))
    )
    assert at.counts.sum() > 10
    tolerance = 1e-11 if dtype == np.float64 else 1e-4
    for beside in (below, above):
        torch.testing.assert_close(beside.counts, at.counts)
        torch.testing.assert_close(beside.features, at.features, rtol=tolerance, atol=0)


@pytest.mark.parametrize("dt", [0.1, 1.0, 7.0])
def test_times_in_float32_mean_what_they_say(lively_net: MakeNet, dt: float) -> None:
    net, (times, channels) = lively_net(dt=dt, min_delay=7.0, duration=42.0), random_sample()
    low = (np.round(times / dt) * dt).astype(np.float32)
    assert one_sample(low, channels).times.flat.dtype == np.float32
    features, *_ = features_and_gradients(net, (low, channels))
    expected, *_ = features_and_gradients(net, (low.astype(np.float64), channels))
    assert_same([features], [expected], rtol=1e-6)


@pytest.mark.parametrize("config", INPUTS)
def test_the_first_moment_of_a_sample_counts(
    lively_net: MakeNet, match_naive: Match, config: dict[str, Any]
) -> None:
    net = lively_net(drive=8.0, **config)
    assert match_naive(net, one_sample([0.0], [1]), [[0], [0]]).sum() > 5


@pytest.mark.parametrize("config", INPUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("dt", [0.1, 0.3, 1.0])
def test_the_end_of_a_sample_is_the_last_to_count(
    lively_net: MakeNet, config: dict[str, Any], dtype: Any, dt: float
) -> None:
    net, (times, channels) = lively_net(dt=dt, **config), random_sample()
    end = dtype(net.config.steps * dt)
    base = net(one_sample(times.astype(dtype), channels), [[0], [0]])
    ends = np.array([np.nextafter(end, dtype(0)), end, np.nextafter(end, dtype(100)), 1e30], dtype)
    for extra in ends:
        late = np.append(times, extra).astype(dtype), np.append(channels, 2)
        out = net(one_sample(*late), [[0], [0]])
        torch.testing.assert_close(out.counts, base.counts)
        torch.testing.assert_close(out.features, base.features, rtol=0, atol=1e-9)
        assert all(grad.isfinite().all() for grad in features_and_gradients(net, late))
