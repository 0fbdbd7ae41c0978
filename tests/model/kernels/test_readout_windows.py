"""A readout by several windows of time: against quadrature, finite differences and a readout of one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients
from naive_network import reference_features
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.simulate import simulate

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "adaptation": 0.3, "tau_adaptation": 15.0}


@pytest.mark.parametrize("windows", [2, 5])
@pytest.mark.parametrize("config", [{"dt": 0.5}, {"dt": 3.0, "tau_mem_out": 7.0}])
def test_features_are_those_of_quadrature(
    lively_net: MakeNet, random_data: MakeData, windows: int, config: dict[str, Any]
) -> None:
    net, data = lively_net(readout_windows=windows, **config), random_data()
    assert windows == 2 or net.config.steps % windows
    with torch.no_grad():
        features, _ = simulate(net.connections(), data, SAMPLES, net.config)
        expected, counts = reference_features(net, data, SAMPLES)
        out = net(data, SAMPLES)
    assert counts.sum() > 10
    torch.testing.assert_close(features, expected, rtol=1e-9, atol=1e-12)
    by_window = expected.unflatten(2, (windows, -1))
    torch.testing.assert_close(out.features, by_window.sum(2), rtol=1e-9, atol=1e-12)
    w_out = net.w_out.detach().unflatten(2, (windows, -1))
    logits = torch.einsum("rbwn,rnwo->rbo", by_window, w_out) + net.b_out.detach()[:, None]
    torch.testing.assert_close(out.logits, logits, rtol=1e-9, atol=1e-9)


def test_windows_add_up_to_the_whole_sample(lively_net: MakeNet, random_data: MakeData) -> None:
    """In single precision, too."""
    net, data = lively_net().float(), random_data()
    with torch.no_grad():
        whole, _ = simulate(net.connections(), data, SAMPLES, net.config)
        parts, _ = simulate(net.connections(), data, SAMPLES, replace(net.config, readout_windows=7))
    assert (parts.unflatten(2, (7, -1)).sum((0, 1, 3)) > 0).all()
    torch.testing.assert_close(parts.unflatten(2, (7, -1)).sum(2), whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "config", [{}, {"embedding": "free"}, {"embedding": "axonal", "dt": 3.0}, ADAPTIVE, {"hidden": (3, 2)}]
)
def test_gradients_are_those_of_finite_differences(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = lively_net(readout_windows=3, **config), random_data()
    labels = torch.from_numpy(data.labels[SAMPLES])

    def loss() -> Tensor:
        out = net(data, SAMPLES)
        weights = torch.linspace(-1, 2, out.features.numel(), dtype=torch.float64).view_as(out.features)
        cross = torch.nn.functional.cross_entropy(out.logits.movedim(2, 1), labels)
        found: Tensor = cross + 10 * (weights * out.features).sum() + 3 * out.logits.square().sum()
        return found

    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    check_gradients(loss, learned)


def test_more_windows_than_steps_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`readout_windows`: got 9, expected at most the steps .*, 8"):
        LearnerConfig(duration=8.0, readout_windows=9)
    assert LearnerConfig(duration=8.0, readout_windows=8).readout_windows == 8
