"""Networks of several layers: the scheme, its gradient, and a layer as the network that it is by itself."""

from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import torch
from finite_differences import check_gradients
from naive_network import reference_features

from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.recording import hidden_spikes
from model.kernels.connections import Connections
from model.kernels.simulate import simulate

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SAMPLES = np.array([[0, 1, 2], [2, 0, 0]])
EVERYWHERE = {"inputs_to": "all", "readout_from": "all"}
KINDS: list[dict[str, Any]] = [
    {},
    {"recurrent": False},
    {"inputs_to": "all"},
    {"readout_from": "all"},
    {"feedforward": False, **EVERYWHERE},
    {"hidden": [2, 3, 2], "embedding": "free"},
    {"embedding": "axonal", "recurrent": False},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"embedding": "shuffled"},
    {"embedding": "none"},
    {"input_embedding": "line", "learn_input_positions": True},
    {"hidden": 5, "recurrent": False},
]
LEARNED = [KINDS[k] for k in (0, 4, 5, 10)]


def made(lively_net: MakeNet, config: dict[str, Any]) -> Cohort:
    """A cohort of two layers, or as `config` says, in which all of them fire."""
    net = lively_net(**{"hidden": [4, 3], "drive": 3.0} | config)
    members = net.layers.members
    with torch.no_grad():
        for before, own in pairwise(members):
            net.w_rec[:, before, own] = net.w_rec[:, before, own].abs() + 0.5
    return net


@pytest.mark.parametrize("config", KINDS)
def test_agrees_with_the_naive_scheme(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = made(lively_net, config), random_data()
    with torch.no_grad():
        out = net(data, SAMPLES)
        features, counts = reference_features(net, data, SAMPLES)
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)
    assert all(counts[..., own].sum() > 5 for own in net.layers.members)
    read = slice(None) if config.get("readout_from") == "all" else net.layers.members[-1]
    logits = features[..., read] @ net.w_out + net.b_out[:, None]
    torch.testing.assert_close(out.logits, logits, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("config", LEARNED)
def test_gradients_are_those_of_finite_differences(
    lively_net: MakeNet, random_data: MakeData, config: dict[str, Any]
) -> None:
    net, data = made(lively_net, config), random_data()
    labels = torch.from_numpy(data.labels[SAMPLES])

    def loss() -> torch.Tensor:
        out = net(data, SAMPLES)
        ramp = torch.linspace(-1, 2, out.features[0].numel(), dtype=torch.float64).view_as(out.features[0])
        found = torch.nn.functional.cross_entropy(out.logits.movedim(2, 1), labels)
        total: torch.Tensor = found + 10 * (ramp * out.features).sum()
        return total

    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    if not net.mask.any():  # nothing depends on what synapses are made of
        learned = {name: value for name, value in learned.items() if name.startswith(("w_in", "w_out", "b"))}
    check_gradients(loss, learned)
    loss().backward()
    assert net.w_rec.grad is not None and (net.w_rec.grad[~net.mask] == 0).all()


def test_single_precision_differs_by_rounding_alone(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = made(lively_net, {}), random_data()
    grads = []
    for one in (net, made(lively_net, {}).float()):
        out = one(data, SAMPLES)
        out.logits.square().sum().backward()
        grads.append([p.grad.double() for p in (one.w_in, one.w_rec, one.positions) if p.grad is not None])
        assert out.counts.sum() > 20
    for double, single in zip(*grads, strict=True):
        assert (double - single).norm() < 1e-3 * double.norm()


def test_a_layer_is_a_network_of_its_own_fed_with_the_spikes_of_the_one_before(
    lively_net: MakeNet, random_data: MakeData
) -> None:
    net, data = made(lively_net, {}), random_data()
    first, second = net.layers.members
    out = net(data, SAMPLES)
    recorded = hidden_spikes(net, data, [0, 1, 2])
    weight = torch.linspace(-1, 1, 9, dtype=torch.float64).view(3, 3)
    (out.features[..., second] * weight).sum().backward()
    assert net.w_rec.grad is not None
    for r, spikes in enumerate(recorded):
        before = SpikeDataset.from_flat(
            spikes.times.flat[spikes.channels.flat < first.stop],
            spikes.channels.flat[spikes.channels.flat < first.stop],
            np.array([(spikes.channels[b] < first.stop).sum() for b in range(3)]),
            data.labels,
            first.stop,
            3,
        )
        w_in = net.w_rec[r : r + 1, first, second].detach().clone().requires_grad_()
        w_rec = net.w_rec[r : r + 1, second, second].detach().clone().requires_grad_()
        delays, mask = net.delays().detach(), net.mask[r : r + 1]
        late = delays[r : r + 1, first, second].clone()
        late[~mask[:, first, second]] = 1e9  # where no synapse is, nothing arrives
        alone = Connections(
            w_in, w_rec, delays[r : r + 1, second, second], mask[:, second, second].contiguous(), late
        )
        features, counts = simulate(alone, before, SAMPLES[r : r + 1], LearnerConfig(hidden=3, duration=42.0))
        torch.testing.assert_close(counts[0], out.counts[r, :, second])
        torch.testing.assert_close(features[0], out.features[r, :, second], rtol=1e-9, atol=1e-12)
        (features * weight).sum().backward()
        assert w_in.grad is not None and w_rec.grad is not None
        for own, block in ((w_in.grad, (first, second)), (w_rec.grad, (second, second))):
            torch.testing.assert_close(own[0], net.w_rec.grad[r][block], rtol=1e-7, atol=1e-9)


def test_spikes_cost_what_their_own_targets_do() -> None:
    for recurrent, between in product([True, False], [True, False]):
        config = LearnerConfig(
            hidden=(5, 3, 2),
            recurrent=recurrent,
            feedforward=between,
            **EVERYWHERE,  # type: ignore[arg-type]
        )
        within = 5 * 4 + 3 * 2 + 2 * 1
        expected = recurrent * within + between * (5 * 3 + 3 * 2)
        assert config.layers.synapses.sum() == expected
        assert not np.tril(config.layers.synapses, -1)[5:, :5].any()  # nothing goes back
