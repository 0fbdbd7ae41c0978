"""Arrivals in the ring: samples far longer than it, long and short delays, delays on step borders."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from naive_network import reference_features
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
Match = Callable[..., Tensor]
DURATION = 128.0
SAMPLES = [[0], [1]]


def set_delays(net: Cohort, delays: Tensor) -> None:
    with torch.no_grad():
        net.free_delays.copy_(delays)


def uniform(low: float, high: float) -> Tensor:
    draw = torch.Generator().manual_seed(2)
    return torch.rand((2, 5, 5), generator=draw, dtype=torch.float64) * (high - low) + low


def mixed() -> Tensor:
    """Some short delays, some that nearly span the sample, some that are as long as it or longer."""
    delays = uniform(1, 4)
    delays[:, :, 0], delays[:, 0, :] = 90.3, 127.6
    delays[:, 2, 3], delays[:, 3, 4] = 128.0, 1e6
    return delays


@pytest.mark.parametrize("dt", [0.5, 1.0])
@pytest.mark.parametrize(
    "delays",
    [
        pytest.param(uniform(1, 3), id="short"),
        pytest.param(uniform(1, 120), id="all lengths"),
        pytest.param(mixed(), id="long and short"),
        pytest.param(uniform(1, 9).floor(), id="whole steps"),
        pytest.param(uniform(1, 1), id="the least"),
    ],
)
def test_delays_of_every_length(
    lively_net: MakeNet, random_data: MakeData, match_naive: Match, delays: Tensor, dt: float
) -> None:
    net = lively_net(embedding="free", duration=DURATION, dt=dt, min_delay=1.0)
    set_delays(net, delays)
    counts = match_naive(net, random_data(duration=DURATION), SAMPLES)
    assert counts.sum() > 30


def test_a_sample_a_thousand_times_as_long_as_the_ring(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net(embedding="none", duration=3000.0, hidden=4)
    data = random_data(samples=1, duration=3000.0, spikes=600)
    with torch.no_grad():
        features, counts = reference_features(net, data, [[0], [0]])
        out = net(data, [[0], [0]])
    assert counts.sum() > 1000
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)


def test_delays_beyond_the_sample_do_nothing(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(embedding="free", duration=DURATION), random_data(duration=DURATION)
    set_delays(net, mixed())
    out = net(data, SAMPLES)
    by_weight, by_delay = torch.autograd.grad(out.features.sum(), [net.w_rec, net.free_delays])
    beyond = mixed() >= DURATION
    assert (by_weight[beyond] == 0).all() and (by_delay[beyond] == 0).all()
    assert by_delay.abs().max() > 0
    net.mask &= ~beyond
    torch.testing.assert_close(net(data, SAMPLES).features, out.features, rtol=0, atol=0)


@pytest.mark.parametrize("dt", [0.25, 1.0])
@pytest.mark.parametrize(("delay", "arrives"), [(63.75, True), (64.0, False), (1e30, False)])
def test_the_last_arrival(dt: float, delay: float, arrives: bool) -> None:
    """A spike at the very start still acts on a neuron as late as in the last step."""
    net = Cohort(
        LearnerConfig(hidden=2, embedding="free", duration=64.0, dt=dt), 1, 2, [0], dtype=torch.float64
    )
    set_delays(net, torch.full((1, 2, 2), delay, dtype=torch.float64))
    with torch.no_grad():
        net.w_in[:] = torch.tensor([1e6, 0.0])
        net.w_rec[:] = 1e6
    counts = net(SpikeDataset.from_events([([0.0], [0])], [0], 1, 2), [[0]]).counts[0, 0]
    assert counts[0] > 10 and (counts[1] == 1) == arrives and counts[1] <= 1


@pytest.mark.parametrize("inputs", [False, True])
def test_replicates_whose_delays_differ_share_a_ring(
    lively_net: MakeNet, random_data: MakeData, inputs: bool
) -> None:
    """The longest delay of the cohort sizes the ring of all; each network does as it does alone."""
    config: dict[str, Any] = {"duration": DURATION, "delay_scale": 2.0}
    if inputs:
        config |= {"input_embedding": "line", "learn_input_positions": True}
    data = random_data(duration=DURATION)
    together = lively_net(seeds=(3, 8), **config)
    with torch.no_grad():
        together.positions[1] *= 25
    assert together.delays()[1].max() > 10 * together.delays()[0].max()
    names = [name for name, value in together.named_parameters() if "out" not in name]
    out = together(data, [[0, 1], [1, 2]])
    grads = torch.autograd.grad(out.features.sum(), [together.get_parameter(name) for name in names])
    for r in (0, 1):
        alone = lively_net(seeds=(together.seeds[r],), **config)
        with torch.no_grad():
            for name, value in alone.named_parameters():
                value.copy_(together.get_parameter(name)[r : r + 1])
        single = alone(data, [[0, 1], [1, 2]][r : r + 1])
        assert single.counts.sum() > 10
        torch.testing.assert_close(out.features[r], single.features[0], rtol=0, atol=0)
        expected = torch.autograd.grad(single.features.sum(), [alone.get_parameter(name) for name in names])
        for one, other in zip(grads, expected, strict=True):
            torch.testing.assert_close(one[r], other[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("unit", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("least", [1, 3])
@pytest.mark.parametrize("embedding", ["none", "free"])
def test_the_unit_of_time_does_not_matter(
    lively_net: MakeNet, random_data: MakeData, unit: float, least: int, embedding: str
) -> None:
    """Also where a delay is a whole number of steps and its quotient by dt is a hair off: 0.3 / 0.1 < 3."""
    data = random_data()
    spikes = [(data.times[b] * unit, data.channels[b]) for b in range(len(data))]
    scaled_data = SpikeDataset.from_events(spikes, data.labels, 4, 3)
    net = lively_net(embedding=embedding, min_delay=float(least))
    scaled = lively_net(
        embedding=embedding,
        min_delay=least * unit,
        dt=unit,
        duration=42 * unit,
        tau_mem=20 * unit,
        tau_syn=5 * unit,
    )
    if embedding == "free":
        set_delays(net, uniform(least, least + 5).floor())
        set_delays(scaled, net.free_delays * unit)
    samples = np.array([[0, 1, 2], [2, 0, 0]])
    torch.testing.assert_close(scaled(scaled_data, samples).counts, net(data, samples).counts)
    torch.testing.assert_close(
        scaled(scaled_data, samples).features, net(data, samples).features, rtol=1e-9, atol=1e-12
    )
