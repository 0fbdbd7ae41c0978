"""Training as it was published: raw learning rates and the cost in the gradient, against a naive Adam."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.evaluation import cross_entropy
from model.arrays import Array
from model.datasets import Splits
from model.training.trainer import Trainer
from model.training.wiring_cost import cost_in_loss, shrink_weights

RATES = {"w_in": 0.001, "w_rec": 0.002, "w_out": 0.003}
CONFIG: dict[str, Any] = {
    "hidden": 6,
    "duration": 40.0,
    "delay_scale": 1.0,
    "schedule": "constant",
    "batch_size": 4,
    "epochs": 3,
    "initial_rate": 3.0,
    "output_bias": False,
    "position_learning_rate": 0.05,
    **{f"{name}_learning_rate": rate for name, rate in RATES.items()},
}


def trainer_of(data: SpikeDataset, **config: Any) -> Trainer:
    return Trainer(LearnerConfig(**(CONFIG | config)), Splits(data, data, None), [0, 1])


def values_of(net: Cohort) -> dict[str, Array]:
    return {name: value.detach().double().numpy().copy() for name, value in net.named_parameters()}


class NaiveAdam:
    """Adam as Kingma and Ba wrote it down, in double precision."""

    def __init__(self, rates: dict[str, float]) -> None:
        self.rates, self.steps = rates, 0
        self.m: dict[str, Any] = dict.fromkeys(rates, 0.0)
        self.v: dict[str, Any] = dict.fromkeys(rates, 0.0)

    def step(self, values: dict[str, Array], gradients: dict[str, Array]) -> None:
        self.steps += 1
        for name, rate in self.rates.items():
            g = gradients[name]
            self.m[name] = 0.9 * self.m[name] + 0.1 * g
            self.v[name] = 0.999 * self.v[name] + 0.001 * g**2
            m, v = self.m[name] / (1 - 0.9**self.steps), self.v[name] / (1 - 0.999**self.steps)
            values[name] = values[name] - rate * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize(
    ("embedding", "delays", "rate"),
    [("space", "positions", 0.05), ("free", "free_delays", 0.7), ("axonal", "axonal_delays", 0.7)],
)
def test_the_first_step_is_the_rate_that_is_given(
    random_data: Callable[..., SpikeDataset], embedding: str, delays: str, rate: float
) -> None:
    """Adam's first step is its rate, whatever the gradient; here from delays that begin at the least one."""
    data = random_data(samples=4)
    trainer = trainer_of(data, embedding=embedding, delay_learning_rate=0.7, initial_delays="least", epochs=1)
    before = values_of(trainer.net)
    trainer.run_epoch()
    after = values_of(trainer.net)
    for name, expected in {**RATES, delays: rate}.items():
        moved = np.abs(after[name] - before[name])
        moved = moved[moved > 0]  # a delay that wanted to fall stayed at the least one
        assert moved.size and np.median(moved) == pytest.approx(expected, rel=1e-3), name
        assert moved.max() <= expected * 1.01
    assert (after["b_out"] == 0).all()


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("power", [0, 1])
def test_the_cost_in_the_gradient_is_lambda_sign_distance_step_for_step(
    random_data: Callable[..., SpikeDataset], power: int, relative: bool
) -> None:
    """Four updates, beside a naive Adam that is given the task's gradient and the cost's."""
    strength = 0.003
    data = random_data(samples=4)
    trainer = trainer_of(
        data, cost_step="gradient", wiring_cost=strength, wiring_power=power, relative_cost=relative, epochs=4
    )
    naive = NaiveAdam({**RATES, "positions": 0.05})
    net = trainer.net
    chosen, labels = np.tile(np.arange(4), (2, 1)), torch.from_numpy(data.labels).expand(2, -1)
    for _ in range(4):
        loss = cross_entropy(net(data, chosen).logits, labels).mean(1).sum()
        learned = {name: net.get_parameter(name) for name in naive.rates}
        gradients = dict(zip(learned, torch.autograd.grad(loss, list(learned.values())), strict=True))
        plain = {name: value.double().numpy() for name, value in gradients.items()}
        expected = values_of(net)
        for r in range(2):
            x = expected["positions"][r]
            lengths = np.linalg.norm(x[:, None] - x[None], axis=2)
            lengths = lengths * 30 / lengths.sum() if relative else lengths
            prices = np.where(np.eye(6), 0, lengths**power)
            plain["w_rec"][r] += strength * np.sign(expected["w_rec"][r]) * prices
        naive.step(expected, plain)
        trainer.run_epoch()  # one batch, of all samples; the order is of no account
        for name, value in values_of(net).items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-3, atol=2e-6, err_msg=name)


def test_weights_under_the_cost_in_the_gradient_hover_about_zero(
    random_data: Callable[..., SpikeDataset],
) -> None:
    """A cost that outweighs the task: Adam's steps go on, and no weight is a true zero."""
    data = random_data(samples=4)
    trainer = trainer_of(
        data, cost_step="gradient", wiring_cost=1e3, wiring_power=0, epochs=60, w_rec_sd=0.02
    )
    for _ in range(60):
        metrics = trainer.run_epoch()
    weights = trainer.net.w_rec.detach()[trainer.net.mask]
    assert (metrics["sparsity"] == 0).all()
    assert weights.abs().max() < 0.02 and (weights != 0).all()


@pytest.mark.parametrize(("cost_on", "moved"), [("weights", (1, 0)), ("positions", (0, 1)), ("both", (1, 1))])
def test_the_cost_has_a_gradient_where_it_is_told_to(
    lively_net: Callable[..., Cohort], cost_on: str, moved: tuple[int, int]
) -> None:
    by = "proximal" if cost_on == "positions" else "gradient"
    net = lively_net(wiring_cost=0.1, cost_on=cost_on, cost_step=by)
    cost = cost_in_loss(net)
    assert cost is not None
    cost.sum().backward()
    assert ((net.w_rec.grad is not None), (net.positions.grad is not None)) == moved
    before = net.w_rec.detach().clone()
    shrink_weights(net, 0.1)
    assert torch.equal(before, net.w_rec) == (by == "gradient" or cost_on == "positions")


def test_no_pruned_synapse_has_a_cost(lively_net: Callable[..., Cohort]) -> None:
    net = lively_net(wiring_cost=0.1, cost_step="gradient", wiring_power=1)
    cost = cost_in_loss(net)
    assert cost is not None
    cost.sum().backward()
    assert net.w_rec.grad is not None
    expected = 0.1 * net.w_rec.detach().sign() * net.distances().detach() * net.mask
    torch.testing.assert_close(net.w_rec.grad, expected)
    assert (net.w_rec.grad[:, 0, 1] == 0).all()  # it is zero, and has no side to be drawn to
