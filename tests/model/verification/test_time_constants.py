"""Time constants that are equal, nearly equal, or the other way round."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from naive_network import readout_by_quadrature
from scipy.special import lambertw
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
Match = Callable[..., Tensor]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
NEARLY: list[dict[str, Any]] = [
    {"tau_mem": 10.01, "tau_syn": 10.0, "tau_mem_out": 30.0, "tau_syn_out": 7.0},
    {"tau_mem": 10.0, "tau_syn": 10.01, "tau_mem_out": 30.0, "tau_syn_out": 7.0},
    {"tau_mem_out": 10.01, "tau_syn_out": 10.0},
]


@pytest.mark.parametrize(
    ("taus", "names"),
    [
        ({"tau_mem": 5.0}, "`tau_mem` and `tau_syn` are both 5"),
        ({"tau_mem_out": 5.0}, "`tau_mem_out` and `tau_syn_out` are both 5"),
        ({"tau_mem_out": 9.0, "tau_syn_out": 9.0}, "`tau_mem_out` and `tau_syn_out` are both 9"),
    ],
)
def test_equal_time_constants_are_refused(taus: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=f"LearnerConfig: {names}; make them differ"):
        LearnerConfig(**taus)


@pytest.mark.parametrize("taus", NEARLY)
def test_nearly_equal_time_constants_are_accurate(
    lively_net: MakeNet, random_data: MakeData, match_naive: Match, taus: dict[str, float]
) -> None:
    assert match_naive(lively_net(**taus), random_data(), SAMPLES).sum() > 10


@pytest.mark.parametrize("taus", NEARLY)
def test_nearly_equal_time_constants_hold_in_float32(
    lively_net: MakeNet, random_data: MakeData, taus: dict[str, float]
) -> None:
    net, data = lively_net(**taus), random_data()
    low = Cohort(net.config, 4, 3, net.seeds)
    low.load_state_dict(net.state_dict())
    out, expected = low(data, SAMPLES), net(data, SAMPLES)
    torch.testing.assert_close(out.counts.double(), expected.counts)
    error = (out.features.double() - expected.features).abs().max() / expected.features.max()
    assert error < 1e-2
    grads = torch.autograd.grad(out.features.sum(), [low.w_in, low.w_rec, low.positions])
    assert all(grad.isfinite().all() for grad in grads)


def test_the_limit_of_equal_time_constants_is_the_alpha_function() -> None:
    """V(u) = w (u / tau) exp(-u / tau) crosses threshold at u = -tau W(-1 / w), W Lambert's function."""
    config = LearnerConfig(
        hidden=1, duration=60.0, dt=1 / 128, tau_mem=10.005, tau_syn=9.995, tau_mem_out=30.0, tau_syn_out=7.0
    )
    net = Cohort(config, 1, 1, [0], dtype=torch.float64)
    weight = 3.5
    with torch.no_grad():
        net.w_in.fill_(weight)
    out = net(SpikeDataset.from_events([([4.2], [0])], [0], 1, 1), [[0]])
    # The mean of the two rates makes the difference to the limit one of second order; w / tau_mem is exact.
    rate = (1 / config.tau_mem + 1 / config.tau_syn) / 2
    crossing = 4.2 - float(lambertw(-rate * config.tau_mem / weight).real) / rate
    assert out.counts.item() == 1
    assert out.features.item() == pytest.approx(readout_by_quadrature(crossing, config), rel=1e-6)


@pytest.mark.parametrize(
    ("taus", "drive"),
    [({"tau_mem": 5.0, "tau_syn": 20.0}, 2.0), ({"tau_mem": 0.2}, 3.0), ({"tau_syn": 0.05}, 300.0)],
)
def test_any_order_and_size_of_time_constants(
    lively_net: MakeNet, random_data: MakeData, match_naive: Match, taus: dict[str, float], drive: float
) -> None:
    """Synapses slower than the membrane, and constants far below the step."""
    assert match_naive(lively_net(drive=drive, **taus), random_data(), SAMPLES).sum() > 10
