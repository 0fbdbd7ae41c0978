"""Neurons that nobody hears: against the naive scheme, finite differences and a network without them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients
from naive_network import reference_features
from torch import Tensor

from model import Cohort, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
CONFIGS: list[dict[str, Any]] = [
    {},
    {"embedding": "axonal", "dt": 3.0, "readout_windows": 2},
    {"neuron": "adaptive_lif", "adaptation": 0.3, "tau_adaptation": 15.0},
]


def dropped_of(net: Cohort) -> Tensor:
    """Different ones in each sample, and in one none."""
    found = torch.from_numpy(np.random.default_rng(2).random((*SAMPLES.shape, net.config.neurons)) < 0.4)
    found[1, 2] = False
    assert found[:, :, 0].any() and not found[:, :, 0].all()
    return found


@pytest.mark.parametrize("config", CONFIGS)
def test_nobody_hears_them_by_the_naive_scheme(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = lively_net(dropout=0.4, **config), random_data()
    dropped = dropped_of(net)
    with torch.no_grad():
        out = net(data, SAMPLES, dropped)
        net.w_rec.div_(0.6)  # those that are heard count for the others
        features, counts = reference_features(net, data, SAMPLES, dropped)
    features = features.unflatten(2, (net.config.readout_windows, -1)).sum(2)
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features * ~dropped / 0.6, rtol=1e-9, atol=1e-12)
    assert (counts[dropped] > 0).any()


@pytest.mark.parametrize("config", CONFIGS)
def test_gradients_are_those_of_finite_differences(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = lively_net(dropout=0.4, **config), random_data()
    dropped = dropped_of(net)

    def loss() -> Tensor:
        out = net(data, SAMPLES, dropped)
        weights = torch.linspace(-1, 2, out.features.numel(), dtype=torch.float64).view_as(out.features)
        found: Tensor = 10 * (weights * out.features).sum() + out.logits.square().sum()
        return found

    check_gradients(loss, {name: value for name, value in net.named_parameters() if value.requires_grad})


def test_one_that_is_always_dropped_is_as_good_as_masked_out(
    lively_net: MakeNet, random_data: MakeData
) -> None:
    net, data = lively_net(), random_data()
    dropped = torch.zeros(*SAMPLES.shape, net.config.neurons, dtype=torch.bool)
    dropped[..., 1] = True
    found = net(data, SAMPLES, dropped)
    found.logits.sum().backward()
    assert net.w_rec.grad is not None and (net.w_rec.grad[:, 1] == 0).all()
    with torch.no_grad():
        net.mask[:, 1] = False
        net.w_out[:, 1] = 0
    torch.testing.assert_close(net(data, SAMPLES).logits, found.logits, rtol=1e-12, atol=1e-12)


def test_who_is_dropped_is_checked(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data()
    with pytest.raises(ValueError, match=r"`dropped`: got \[2, 3\] of torch.bool, expected \[2, 3, 5\]"):
        net(data, SAMPLES, torch.zeros(2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"`dropped`: got .* of torch.float32"):
        net(data, SAMPLES, torch.zeros(2, 3, 5))
    with pytest.raises(TypeError, match="`dropped`: got 'x', expected a Tensor or None"):
        net(data, SAMPLES, "x")
