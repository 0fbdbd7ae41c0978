"""Costs beside the task's loss, and what else acts on a network in training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.training.rate_cost import rate_cost, revive
from model.training.trainer import Trainer
from model.training.wiring_cost import cost_in_loss, shrink_weights

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]
SMALL: dict[str, Any] = {"hidden": 8, "epochs": 3, "batch_size": 2, "duration": 42.0, "delay_scale": 6.0}


def trained(data: SpikeDataset, **config: Any) -> Trainer:
    return Trainer(LearnerConfig(**(SMALL | config)), Splits(data, data, None), [0, 1])


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("relative", [False, True])
def test_wiring_cost_on_positions_is_the_sum_it_says(lively_net: MakeNet, power: int, relative: bool) -> None:
    net = lively_net(wiring_cost=0.3, wiring_power=power, cost_on="positions", relative_cost=relative)
    cost = cost_in_loss(net)
    assert cost is not None
    for r in range(2):
        x, w = net.positions[r].detach().numpy(), net.w_rec[r].detach().numpy()
        pairs = [(i, j) for i in range(5) for j in range(5) if net.mask[r, i, j]]
        lengths = np.array([np.linalg.norm(x[i] - x[j]) for i, j in pairs])
        lengths = lengths / lengths.mean() if relative else lengths
        weights = np.array([abs(w[i, j]) for i, j in pairs])
        assert cost[r].item() == pytest.approx(0.3 * (weights * lengths**power).sum())


def test_relative_cost_cannot_be_escaped_by_shrinking(lively_net: MakeNet) -> None:
    costs = {}
    for relative in (False, True):
        net = lively_net(wiring_cost=1.0, cost_on="both", relative_cost=relative)
        before = cost_in_loss(net)
        with torch.no_grad():
            net.positions.mul_(0.1)
        after = cost_in_loss(net)
        assert before is not None and after is not None
        costs[relative] = (after / before).detach()
    torch.testing.assert_close(costs[True], torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(costs[False], torch.full((2,), 0.01, dtype=torch.float64))


@pytest.mark.parametrize(
    ("cost_on", "moves", "shrinks"), [("weights", 0, 1), ("positions", 1, 0), ("both", 1, 1)]
)
def test_cost_acts_where_it_is_told_to(lively_net: MakeNet, cost_on: str, moves: bool, shrinks: bool) -> None:
    net = lively_net(wiring_cost=0.1, cost_on=cost_on)
    assert (cost_in_loss(net) is not None) == moves
    before = net.w_rec.detach().clone()
    shrink_weights(net, 0.1)
    assert (not torch.equal(before, net.w_rec)) == shrinks


def test_rate_cost_is_the_sum_it_says_and_slows_a_network_down(random_data: MakeData) -> None:
    rates = {}
    for strength in (0.0, 3.0):
        trainer = trained(random_data(), rate_cost=strength, target_rate=1.0, epochs=30)
        cost = rate_cost(trainer.net, torch.full((2, 3, 8), 4.0))
        assert (
            (cost is None)
            if strength == 0
            else (cost is not None and torch.allclose(cost, torch.tensor(27.0)))
        )
        for _ in range(30):
            metrics = trainer.run_epoch()
        rates[strength] = metrics["rate"].mean()
    assert rates[3.0] < 0.75 * rates[0.0]


def test_revival_strengthens_silent_neurons_alone(lively_net: MakeNet) -> None:
    net = lively_net(revival=0.5)
    before = net.w_in.detach().clone()
    silent = torch.zeros(2, 5, dtype=torch.bool)
    silent[1, 3] = True
    revive(net, silent)
    changed = net.w_in.detach() - before
    torch.testing.assert_close(changed[1, :, 3], (0.5 * before[1].abs().mean()).expand(4))
    changed[1, :, 3] = 0
    assert (changed == 0).all()


@pytest.mark.parametrize("embedding", ["free", "axonal"])
def test_learned_delays_stay_above_the_least(random_data: MakeData, embedding: str) -> None:
    trainer = trained(random_data(), embedding=embedding, position_learning_rate=2.0, min_delay=3.0)
    for _ in range(3):
        trainer.run_epoch()
    learned = trainer.net.free_delays if embedding == "free" else trainer.net.axonal_delays
    assert learned.min() == 3.0  # some ran into it
    assert trainer.net.distances().min() == 0.0


def test_zeros_are_taken_out_for_good(random_data: MakeData) -> None:
    trainer = trained(random_data(), wiring_cost=20.0, prune_zeros=True)
    gone = []
    for _ in range(3):
        metrics = trainer.run_epoch()
        gone.append(~trainer.net.mask.clone())
    assert gone[-1].sum() > 16  # the self-connections
    assert (gone[-1] | ~gone[0]).all()
    assert (trainer.net.w_rec[gone[-1]] == 0).all()
    share = (gone[-1].sum((1, 2)) - 8) / 56
    assert (metrics["sparsity"] >= share.numpy() - 1e-6).all()


def test_pruned_synapses_survive_a_checkpoint(random_data: MakeData) -> None:
    trainer = trained(random_data(), wiring_cost=20.0, prune_zeros=True)
    trainer.run_epoch()
    trainer.run_epoch()
    again = Trainer.resume(trainer.checkpoint(), trainer.splits)
    assert torch.equal(again.net.mask, trainer.net.mask)
    expected, found = trainer.run_epoch(), again.run_epoch()
    assert torch.equal(again.net.mask, trainer.net.mask)
    assert expected["loss"].tolist() == found["loss"].tolist()


def test_training_ends_early_when_validation_does_not_improve(random_data: MakeData) -> None:
    trainer = trained(random_data(), patience=2, epochs=50, learning_rate=1e-9, position_learning_rate=0.0)
    epochs = 0
    while not trainer.finished:
        trainer.run_epoch()
        epochs += 1
        trainer = Trainer.resume(trainer.checkpoint(), trainer.splits)  # patience is kept in the checkpoint
    assert trainer.best.epochs[0] + 2 == epochs < 50


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"input_embedding": "line", "embedding": "free"}, "`input_embedding`: line needs neurons in space"),
        ({"input_embedding": "circle", "dimensions": 1}, "a circle needs at least 2 `dimensions`"),
        ({"learn_delay_scale": True, "embedding": "none"}, "`learn_delay_scale` needs neurons in space"),
        ({"cost_on": "both", "embedding": "fixed"}, "`cost_on`: both needs positions that are learned"),
    ],
)
def test_fields_that_need_others_say_so(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LearnerConfig(**values)
