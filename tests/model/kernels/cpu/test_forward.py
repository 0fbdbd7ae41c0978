"""Parts of the CPU's forward kernel, and the room that it makes for spikes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from naive_network import readout_by_quadrature
from parts import alone

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.cpu import forward
from model.kernels.scheme import make_scheme

MakeData = Callable[..., SpikeDataset]

readout = alone(forward.readout)


@pytest.mark.parametrize("k", [0, 7, 49])
@pytest.mark.parametrize("phase", [0.0, 0.3, 1.0])
def test_readout_kernel_is_its_integral(k: int, phase: float) -> None:
    config = LearnerConfig(duration=100.0, dt=2.0, tau_mem_out=30.0, tau_syn_out=7.0)
    found, _ = readout(k, phase, make_scheme(config, np.float64))
    assert found == pytest.approx(readout_by_quadrature((k + phase) * 2.0, config), rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("k", [0, 7, 49])
@pytest.mark.parametrize("phase", [0.1, 0.5, 0.9])
def test_readout_slope_is_the_kernels_derivative(k: int, phase: float) -> None:
    scheme, h = make_scheme(LearnerConfig(duration=100.0, dt=2.0, tau_mem_out=30.0), np.float64), 1e-5
    above, below = (readout(k, phase + shift, scheme)[0] for shift in (h, -h))
    _, slope = readout(k, phase, scheme)
    assert slope == pytest.approx((above - below) / (2 * h) / 2.0, rel=1e-7, abs=1e-13)


def test_more_spikes_than_the_first_room_are_all_kept(random_data: MakeData) -> None:
    net = Cohort(LearnerConfig(hidden=200, duration=50.0), 4, 3, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.fill_(30.0)
    counts = net(random_data(duration=50.0, spikes=120), [[0]]).counts
    assert counts.sum() > 4096
    grad = torch.autograd.grad(net(random_data(duration=50.0), [[0]]).features.sum(), net.w_in)[0]
    assert grad.isfinite().all()
