"""The optimiser against PyTorch's, and its steps against the networks' sizes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from model import Cohort
from model.optimizer import Adam

MakeNet = Callable[..., Cohort]


def with_gradients(net: Any, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    for value in net.parameters():
        value.grad = torch.randn(value.shape, generator=draw, dtype=value.dtype)


def test_steps_are_those_of_adam(lively_net: MakeNet) -> None:
    ours, peer = lively_net(seeds=(3, 3)), lively_net(seeds=(3, 3))  # theirs has one rate for all networks
    optimizer = Adam(ours)
    rates = [optimizer.rates[name].flatten()[0].item() for name, _ in peer.named_parameters()]
    groups = [{"params": [value], "lr": rate} for value, rate in zip(peer.parameters(), rates, strict=True)]
    reference = torch.optim.Adam(groups, eps=1e-8)
    for seed in range(5):
        with_gradients(ours, seed)
        with_gradients(peer, seed)
        optimizer.step(0.5)
        for group, rate in zip(reference.param_groups, rates, strict=True):
            group["lr"] = 0.5 * rate
        reference.step()
    for name, value in ours.named_parameters():
        torch.testing.assert_close(value, peer.get_parameter(name), rtol=1e-12, atol=1e-12)


def test_first_steps_are_relative_to_each_network(lively_net: MakeNet) -> None:
    net = lively_net(learning_rate=0.1, position_learning_rate=0.02)
    net.input_size.copy_(torch.tensor([3.0, 0.5]))
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    with_gradients(net, 0)
    Adam(net).step(1.0)
    step = {name: (value.detach() - before[name]).abs() for name, value in net.named_parameters()}
    torch.testing.assert_close(step["w_in"][0], torch.full_like(step["w_in"][0], 0.3), rtol=1e-5, atol=0)
    torch.testing.assert_close(step["w_in"][1], torch.full_like(step["w_in"][1], 0.05), rtol=1e-5, atol=0)
    torch.testing.assert_close(step["positions"], torch.full_like(step["positions"], 0.02), rtol=1e-5, atol=0)


def test_what_is_not_learned_stays(lively_net: MakeNet) -> None:
    net = lively_net(embedding="fixed")
    before = net.positions.detach().clone()
    optimizer = Adam(net)
    assert "positions" not in optimizer.parameters
    with_gradients(net, 0)
    optimizer.step(1.0)
    assert torch.equal(net.positions, before)


def test_goes_on_from_a_state(lively_net: MakeNet) -> None:
    net, again = lively_net(), lively_net()
    whole, second = Adam(net), Adam(again)
    with_gradients(net, 0)
    whole.step(1.0)
    again.load_state_dict(net.state_dict())
    second.load_state(whole.state())
    for each, optimizer in ((net, whole), (again, second)):
        with_gradients(each, 1)
        optimizer.step(1.0)
    for name, value in net.named_parameters():
        assert torch.equal(value, again.get_parameter(name)), name


def test_a_state_of_other_parameters_is_refused(lively_net: MakeNet) -> None:
    state = Adam(lively_net(embedding="free")).state()
    with pytest.raises(KeyError):
        Adam(lively_net()).load_state(state)
