"""The forward kernel against the naive scheme."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from naive_network import readout_by_quadrature, reference_features

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.cpu.forward import readout
from model.kernels.scheme import make_scheme

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
EMBEDDINGS: list[dict[str, Any]] = [
    {"embedding": "fixed"},
    {"embedding": "none"},
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"learn_delay_scale": True},
    {"input_embedding": "line"},
    {"input_embedding": "circle", "learn_delay_scale": True},
]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("drive", [0.5, 2.0, 8.0])
def test_agrees_with_the_naive_scheme(
    lively_net: MakeNet, random_data: MakeData, dt: float, drive: float
) -> None:
    net, data = lively_net(dt=dt, drive=drive), random_data()
    out = net(data, SAMPLES)
    with torch.no_grad():
        features, counts = reference_features(net, data, SAMPLES)
    assert counts.sum() > 10
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(out.logits, features @ net.w_out + net.b_out[:, None], rtol=1e-9, atol=1e-9)


def test_neurons_fire_in_consecutive_steps_under_strong_drive(
    lively_net: MakeNet, random_data: MakeData
) -> None:
    net = lively_net(drive=8.0)
    counts = net(random_data(), SAMPLES).counts
    assert counts.max() > 0.6 * net.config.steps


@pytest.mark.parametrize("config", EMBEDDINGS)
def test_embeddings_share_the_scheme(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = lively_net(**config), random_data()
    with torch.no_grad():
        features, counts = reference_features(net, data, SAMPLES)
        out = net(data, SAMPLES)
    assert counts.sum() > 10
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)


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


def test_a_single_synapse_gives_the_potential_of_its_closed_form() -> None:
    """One input spike, one neuron: it first crosses threshold where the exact potential does."""
    config = LearnerConfig(hidden=1, duration=50.0, dt=0.01, embedding="none")
    net = Cohort(config, 1, 2, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.fill_(7.5)
    data = SpikeDataset.from_events([([3.14], [0])], [0], 1, 2)
    # V(u) = g w (exp(-u/20) - exp(-u/5)) = 1 with g w = 2.5: with y = exp(-u/20), y - y^4 = 0.4.
    roots = np.roots([-1, 0, 0, 1, -0.4])
    first = max(y.real for y in roots if abs(y.imag) < 1e-12 and 0 < y.real < 1)
    crossing = 3.14 - 20 * np.log(first)
    second_part = readout_by_quadrature(crossing, config)
    assert net(data, [[0]]).counts.item() == 1
    assert net(data, [[0]]).features.item() == pytest.approx(second_part, rel=1e-5)


def test_spikes_outside_the_sample_are_left_out(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(duration=20.0), random_data()
    spikes = [(data.times[i], data.channels[i]) for i in range(len(data))]
    kept = [(t[t < 20.0], c[t < 20.0]) for t, c in spikes]
    cut = SpikeDataset.from_events(kept, data.labels, 4, 3)
    assert sum(len(t) for t, _ in kept) < data.times.flat.size
    torch.testing.assert_close(net(data, SAMPLES).features, net(cut, SAMPLES).features, rtol=0, atol=0)


def test_more_spikes_than_the_first_room_are_all_kept(random_data: MakeData) -> None:
    net = Cohort(LearnerConfig(hidden=200, duration=50.0), 4, 3, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.fill_(30.0)
    counts = net(random_data(duration=50.0, spikes=120), [[0]]).counts
    assert counts.sum() > 4096
    grad = torch.autograd.grad(net(random_data(duration=50.0), [[0]]).features.sum(), net.w_in)[0]
    assert grad.isfinite().all()


@pytest.mark.parametrize("hidden", [1, 15, 16, 17, 33])
@pytest.mark.parametrize("config", [{}, {"input_embedding": "line"}])
def test_any_number_of_neurons(random_data: MakeData, hidden: int, config: dict[str, Any]) -> None:
    """Also those that do not fill the registers."""
    data = random_data()
    net = Cohort(LearnerConfig(hidden=hidden, duration=40.0, **config), 4, 3, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.abs_().mul_(8)
        net.w_rec.mul_(3)
        features, counts = reference_features(net, data, [[0]])
    out = net(data, [[0]])
    assert counts.sum() >= hidden
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gap", [5.0, 40.0, 300.0])
def test_a_sample_is_not_over_before_its_last_spike(gap: float) -> None:
    """A pause after which nothing is pending ends no sample: a later input, a long delay, a slow rise."""
    config = LearnerConfig(hidden=2, embedding="free", duration=800.0, tau_mem=200.0, tau_syn=100.0)
    net = Cohort(config, 1, 2, [0], dtype=torch.float64)
    with torch.no_grad():
        net.free_delays.fill_(gap)
        net.w_in.copy_(torch.tensor([[[4.5, 0.0]]]))
        net.w_rec.fill_(4.5)
    data = SpikeDataset.from_events([([3.0, 3.0 + gap], [0, 0])], [0], 1, 2)
    with torch.no_grad():
        features, counts = reference_features(net, data, [[0]])
    assert (counts > 0).all()
    out = net(data, [[0]])
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)


def test_far_neurons_have_no_effect_and_need_no_memory(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data()
    with torch.no_grad():
        net.positions[:, 4] = 1e12
    far = net(data, SAMPLES).features
    with torch.no_grad():
        net.mask[:, 4] = net.mask[:, :, 4] = False
    torch.testing.assert_close(far, net(data, SAMPLES).features, rtol=0, atol=0)


def test_an_empty_batch_is_legal(lively_net: MakeNet, random_data: MakeData) -> None:
    out = lively_net()(random_data(), np.empty((2, 0), int))
    assert out.logits.shape == (2, 0, 3)
    out.logits.sum().backward()


def test_float32_agrees_with_float64(random_data: MakeData) -> None:
    data = random_data()
    config = LearnerConfig(hidden=5, duration=42.0, delay_scale=6.0)
    nets = [Cohort(config, 4, 3, [5], dtype=dtype) for dtype in (torch.float32, torch.float64)]
    for net in nets:
        with torch.no_grad():
            net.w_in.mul_(6)
    low, high = (net(data, [[0, 1]]) for net in nets)
    assert high.counts.sum() > 5
    torch.testing.assert_close(low.features.double(), high.features, rtol=1e-4, atol=1e-7)


def test_bad_arguments_are_named(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net()
    with pytest.raises(ValueError, match=r"`samples`: got shape \[3\]"):
        net(random_data(), [0, 1, 2])
    with pytest.raises(ValueError, match="`data` has 6 channels, the networks 4"):
        net(random_data(channels=6), SAMPLES)
    with pytest.raises(ValueError, match="`duration` is not set"):
        Cohort(LearnerConfig(), 4, 3, [0])
