"""One neuron, one channel, one class, one sample, and samples without spikes."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from event_driven import exact_features
from torch import Tensor

from model import Cohort, LearnerConfig, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
Match = Callable[..., Tensor]
EMBEDDINGS: list[dict[str, Any]] = [
    {},
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"embedding": "none"},
    {"input_embedding": "line", "learn_input_positions": True},
]


@pytest.mark.parametrize("config", EMBEDDINGS)
@pytest.mark.parametrize(("hidden", "channels", "classes"), [*product([1, 3], [1, 4], [1, 3])])
def test_networks_of_one(
    match_naive: Match, config: dict[str, Any], hidden: int, channels: int, classes: int
) -> None:
    settings = LearnerConfig(hidden=hidden, duration=42.0, delay_scale=6.0, **config)
    net = Cohort(settings, channels, classes, [0], dtype=torch.float64)
    draw = np.random.default_rng(5)
    events = [(draw.uniform(0, 40, 20), draw.integers(0, channels, 20))]
    data = SpikeDataset.from_events(events, [0], channels, classes)
    with torch.no_grad():
        net.w_in.copy_(torch.linspace(2, 4, net.w_in.numel()).view_as(net.w_in))
    assert match_naive(net, data, [[0]]).sum() > 2
    out = net(data, [[0]])
    assert out.logits.shape == (1, 1, classes)
    torch.testing.assert_close(out.logits, out.features @ net.w_out + net.b_out, rtol=1e-12, atol=0)


def test_a_neuron_alone_does_as_in_continuous_time() -> None:
    config = LearnerConfig(hidden=1, duration=60.0, dt=1 / 256)
    net = Cohort(config, 1, 1, [0], dtype=torch.float64)
    with torch.no_grad():
        net.w_in.fill_(8.0)
    data = SpikeDataset.from_events([([3.0, 9.1, 9.1, 20.7], [0] * 4)], [0], 1, 1)
    out = net(data, [[0]])
    assert out.counts.item() > 5
    np.testing.assert_allclose(out.features.detach(), exact_features(net, data, [[0]]), rtol=1e-5)


@pytest.mark.parametrize("config", EMBEDDINGS)
def test_a_sample_without_spikes_is_silent_and_leaves_its_neighbours_alone(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    full = random_data()
    events = [(full.times[b], full.channels[b]) for b in range(3)]
    data = SpikeDataset.from_events([events[0], ([], []), events[1], events[2]], [0] * 4, 4, 3)
    net = lively_net(**config)
    out = net(data, [[1, 0, 1, 3], [2, 1, 3, 1]])
    silent = torch.tensor([[1, 0, 1, 0], [0, 1, 0, 1]], dtype=torch.bool)
    assert (out.features[silent] == 0).all() and (out.counts[silent] == 0).all()
    assert (out.logits[silent] == net.b_out[0, 0]).all()
    alone = net(full, [[0, 2], [1, 2]])
    assert (alone.counts.sum((1, 2)) > 10).all()
    torch.testing.assert_close(out.features[~silent], alone.features.flatten(0, 1), rtol=0, atol=0)
    learned = [p for name, p in net.named_parameters() if p.requires_grad and "out" not in name]
    grads = torch.autograd.grad(out.features.square().sum(), learned)
    expected = torch.autograd.grad(alone.features.square().sum(), learned)
    for one, other in zip(grads, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


def test_a_batch_of_empty_samples_has_no_gradient(lively_net: MakeNet) -> None:
    net = lively_net()
    data = SpikeDataset.from_events([([], []), ([], [])], [0, 1], 4, 3)
    out = net(data, [[0, 1], [1, 0]])
    assert (out.features == 0).all()
    grads = torch.autograd.grad(out.logits.sum(), [net.w_in, net.w_rec, net.positions, net.w_out])
    assert all((grad == 0).all() for grad in grads)
