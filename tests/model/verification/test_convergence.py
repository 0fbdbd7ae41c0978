"""As dt -> 0 the scheme converges to the network in continuous time; here are its orders.

Spike times converge with order 2, for a crossing is interpolated linearly. (A spike in a step in which the
potential has a kink, because a spike arrived, is off by order 1, but such spikes become rare with the step;
the median spike shows the order.) Gradients converge with order 1, for the slope at a crossing is taken to
be that of the chord; then so does the angle to the exact gradient, and its cosine comes to 1 with order 2.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from event_driven import exact_features, exact_spikes, first_crossing, readout
from naive_network import readout_by_quadrature
from numpy.linalg import norm

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.simulate import record

DURATION = 48.0
Spikes = list[list[list[float]]]  # times (ms) by pair of network and sample, and neuron


def make_net(dt: float, recurrent: bool = True, **config: Any) -> Cohort:
    """The same network for every dt: its least delay must not be the step."""
    defaults = {"hidden": 4, "duration": DURATION, "dt": dt, "min_delay": 1.0, "delay_scale": 8.0}
    net = Cohort(LearnerConfig(**(defaults | config)), 4, 2, [0, 1], dtype=torch.float64)
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        net.w_in.copy_(torch.randn(net.w_in.shape, generator=draw, dtype=torch.float64) / 2 + 1.2)
        net.w_rec.copy_(torch.randn(net.w_rec.shape, generator=draw, dtype=torch.float64) * 0.7)
        if not recurrent:
            net.mask[:] = False
    return net


def make_data(samples: int, spikes: int) -> SpikeDataset:
    draw = np.random.default_rng(1)
    events = [
        (np.sort(draw.uniform(0, DURATION, spikes)), draw.integers(0, 4, spikes)) for _ in range(samples)
    ]
    return SpikeDataset.from_events(events, [0] * samples, 4, 2)


def scheme_spikes(net: Cohort, data: SpikeDataset, samples: np.ndarray) -> Spikes:
    """Spike times of the scheme, as the kernels tell them."""
    begin, times, neurons = record(net.connections(), data, samples, net.config)
    return [
        [times[a:b][neurons[a:b] == j].tolist() for j in range(net.config.neurons)]
        for a, b in pairwise(begin.tolist())
    ]


def finer(largest: float) -> list[float]:
    """Steps that divide the sample, from the largest (ms) down to about 1/1024 ms, by the root of 2."""
    first, last = round(-2 * np.log2(largest)), 20
    return [DURATION / round(DURATION * 2 ** (k / 2)) for k in range(first, last + 1)]


def order(steps: list[float], errors: list[float]) -> float:
    """Slope of the error over the step on logarithmic axes."""
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def errors_of(
    net: Cohort, data: SpikeDataset, samples: np.ndarray, exact: list[list[list[float]]]
) -> np.ndarray:
    """Distance (ms) of every spike from its own in continuous time."""
    errors = []
    for found, expected in zip(scheme_spikes(net, data, samples), exact, strict=True):
        assert [len(times) for times in found] == [len(times) for times in expected]
        errors += [np.abs(np.subtract(f, e)) for f, e in zip(found, expected, strict=True)]
    return np.concatenate(errors)


ADAPTIVE: dict[str, Any] = {"neuron": "adaptive_lif", "adaptation": 0.15, "tau_adaptation": 30.0}


OWN_TAUS: dict[str, Any] = {"learn_time_constants": True, "tau_spread": 0.2}


@pytest.mark.parametrize("config", [{"recurrent": False}, {}, {"hidden": [4, 3]}, ADAPTIVE, OWN_TAUS])
def test_spike_times_converge_with_order_two(config: dict[str, Any]) -> None:
    data = make_data(samples=6, spikes=16)
    samples = np.tile(np.arange(6), (2, 1))
    exact = [exact_spikes(make_net(1.0, **config), data, b, r) for r in (0, 1) for b in range(6)]
    steps = finer(0.25)
    errors = [errors_of(make_net(dt, **config), data, samples, exact) for dt in steps]
    assert len(errors[0]) > 100
    assert order(steps, [float(np.median(error)) for error in errors]) == pytest.approx(2.0, abs=0.1)
    assert np.median(errors[-1]) < 1e-7 and errors[-1].max() < 1e-3


def test_missed_spikes_vanish() -> None:
    """A peak above threshold between two grid points is missed: seldom, and ever less."""
    data = make_data(samples=40, spikes=16)
    samples = np.tile(np.arange(40), (2, 1))
    exact = [exact_spikes(make_net(4.0, min_delay=4.0), data, b, r) for r in (0, 1) for b in range(40)]
    expected = np.array([[len(times) for times in one] for one in exact]).reshape(2, 40, 4)
    nets = [make_net(dt, min_delay=4.0) for dt in (4.0, 2.0, 1 / 16)]
    wrong = [(net(data, samples).counts.detach().numpy() != expected).mean() for net in nets]
    assert 0.1 > wrong[0] > wrong[1] > wrong[2] == 0


def exact_gradient(net: Cohort, data: SpikeDataset, samples: Any, weight: np.ndarray) -> list[np.ndarray]:
    """Central differences of the network in continuous time, parameter by parameter."""
    h = 1e-5
    found = []
    for parameter in learned(net):
        flat = parameter.data.view(-1)
        slopes = np.empty(flat.numel())
        for e, kept in enumerate(flat.tolist()):
            flat[e] = kept + h
            above = (weight * exact_features(net, data, samples)).sum()
            flat[e] = kept - h
            below = (weight * exact_features(net, data, samples)).sum()
            flat[e] = kept
            slopes[e] = (above - below) / (2 * h)
        found.append(slopes)
    return found


def learned(net: Cohort) -> list[torch.nn.Parameter]:
    return [p for name, p in net.named_parameters() if p.requires_grad and name not in ("w_out", "b_out")]


@pytest.mark.parametrize(
    "config",
    [
        {"recurrent": False},
        {},
        {"embedding": "free"},
        {"embedding": "axonal"},
        OWN_TAUS,
        {"input_embedding": "line", "learn_input_positions": True, "learn_delay_scale": True},
        ADAPTIVE,
    ],
)
def test_gradients_converge_with_order_one(config: dict[str, Any]) -> None:
    data, samples = make_data(samples=2, spikes=12), np.array([[0, 1], [1, 0]])
    if config == ADAPTIVE:
        samples[1, 1] = 1  # there is a spike right after an arrival in the other: see below
    weight = np.random.default_rng(0).normal(size=(2, 2, 4))
    exact = exact_gradient(make_net(1.0, **config), data, samples, weight)
    steps, errors, angles = finer(0.125), [], []
    for dt in steps:
        net = make_net(dt, **config)
        loss = (torch.from_numpy(weight) * net(data, samples).features).sum()
        grads = [grad.numpy().reshape(-1) for grad in torch.autograd.grad(loss, learned(net))]
        pairs = [(g, e) for g, e in zip(grads, exact, strict=True) if e.any()]
        assert all(not g.any() for g, e in zip(grads, exact, strict=True) if not e.any())
        errors.append(np.mean([norm(g - e) / norm(e) for g, e in pairs]))
        angles.append(np.mean([1 - g @ e / (norm(g) * norm(e)) for g, e in pairs]))
    assert order(steps, errors) == pytest.approx(1.0, abs=0.25)
    assert order(steps, angles) == pytest.approx(2.0, abs=0.4)
    assert errors[-1] < 2e-3 and angles[-1] < 1e-6


def test_a_spike_right_after_an_arrival_needs_steps_that_part_them() -> None:
    """In a step in which the potential has a kink the chord is no tangent, and the gradient is another."""
    data, weight = make_data(samples=2, spikes=12), np.zeros((2, 1, 4))
    weight[1] = np.random.default_rng(0).normal(size=4)
    samples = np.array([[0], [0]])
    arrival, spike = data.times[0][9], exact_spikes(make_net(1.0, **ADAPTIVE), data, 0, 1)[3][1]
    assert 0 < spike - arrival < 0.0021
    exact = exact_gradient(make_net(1.0, **ADAPTIVE), data, samples, weight)
    together, errors = [], []
    for dt in finer(0.125):
        together.append(arrival // dt == spike // dt)
        net = make_net(dt, **ADAPTIVE)
        loss = (torch.from_numpy(weight) * net(data, samples).features).sum()
        grads = [grad.numpy().reshape(-1) for grad in torch.autograd.grad(loss, learned(net))]
        errors.append(np.mean([norm(g - e) / norm(e) for g, e in zip(grads, exact, strict=True) if e.any()]))
    assert together == [error > 0.1 for error in errors]
    assert errors[-1] < 1e-4


@pytest.mark.parametrize("t", [0.0, 7.3, 47.9])
def test_the_reference_reads_out_by_its_integral(t: float) -> None:
    config = LearnerConfig(duration=DURATION, tau_mem_out=30.0, tau_syn_out=7.0)
    assert readout(np.array(t), config) == pytest.approx(
        readout_by_quadrature(t, config), rel=1e-9, abs=1e-13
    )


def test_the_reference_crosses_where_the_potential_does() -> None:
    """2.5 (exp(-u/20) - exp(-u/5)) = 1: with y = exp(-u/20), y - y^4 = 0.4."""
    y = max(root.real for root in np.roots([-1, 0, 0, 1, -0.4]) if abs(root.imag) < 1e-12)
    crossing = -20 * np.log(y)
    assert first_crossing(2.5, 2.5, 1000.0, LearnerConfig()) == pytest.approx(crossing, rel=1e-12)
    assert first_crossing(2.5, 2.5, crossing - 1e-9, LearnerConfig()) == np.inf
    # A threshold that is raised by 0.2, and comes back as fast as M decays: 2.3 y - 2.5 y^4 = 1.
    y = max(root.real for root in np.roots([-2.5, 0, 0, 2.3, -1]) if abs(root.imag) < 1e-12)
    found = first_crossing(2.5, 2.5, 1000.0, LearnerConfig(), raised=0.2, tau=20.0)
    assert found == pytest.approx(-20 * np.log(y), rel=1e-12)
    peak = 4 ** (-1 / 3) - 4 ** (-4 / 3)
    assert first_crossing(1.001 / peak, 1.001 / peak, 1000.0, LearnerConfig()) < 20 * np.log(4) / 3
    assert first_crossing(0.999 / peak, 0.999 / peak, 1000.0, LearnerConfig()) == np.inf
