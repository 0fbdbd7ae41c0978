"""The start in raw units: what is drawn has the distribution that was given."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from model import Cohort, LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.training.trainer import Trainer

PUBLISHED: dict[str, Any] = {
    "hidden": 128,
    "duration": 40.0,
    "w_in_mean": 0.03,
    "w_in_sd": 0.01,
    "w_rec_sd": 0.02,
    "w_out_sd": 0.03,
    "position_range": 1.5,
}


def drawn(**config: Any) -> Cohort:
    return Cohort(LearnerConfig(**(PUBLISHED | config)), 100, 20, [3], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "mean", "deviation"), [("w_in", 0.03, 0.01), ("w_rec", 0.0, 0.02), ("w_out", 0.0, 0.03)]
)
def test_weights_are_normal_as_they_are_given(name: str, mean: float, deviation: float) -> None:
    net = drawn()
    values = net.get_parameter(name)[0].detach()
    flat = (values[net.mask[0]] if name == "w_rec" else values.flatten()).numpy()
    assert stats.kstest(flat, stats.norm(mean, deviation).cdf).pvalue > 0.01
    assert flat.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(flat.size))


def test_given_input_weights_are_not_scaled_to_a_rate() -> None:
    events = [(np.arange(20.0), np.arange(20) % 100)] * 4
    data = SpikeDataset.from_events(events, [0, 1, 0, 1], 100, 2)
    trainer = Trainer(LearnerConfig(**(PUBLISHED | {"hidden": 8})), Splits(data, data, None), [3])
    net = Cohort(trainer.config, 100, 2, [3])
    assert torch.equal(trainer.net.w_in, net.w_in)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_positions_are_uniform_in_the_range_that_is_given(dimensions: int) -> None:
    positions = drawn(dimensions=dimensions).positions[0].detach().numpy()
    for axis in positions.T:
        assert stats.kstest(axis, stats.uniform(-1.5, 3.0).cdf).pvalue > 0.01


def test_inputs_lie_along_the_same_cube() -> None:
    net = drawn(input_embedding="line")
    places = net.input_positions[0, :, 0].detach()
    assert (places.min().item(), places.max().item()) == (-1.5, 1.5)


@pytest.mark.parametrize("embedding", ["free", "axonal"])
def test_learned_delays_may_begin_at_the_least_one_and_move_from_there(embedding: str) -> None:
    net = drawn(embedding=embedding, initial_delays="least", min_delay=2.0)
    delays = net.delays()
    assert (delays == 2.0).all()
    delays.sum().backward()
    learned = net.free_delays if embedding == "free" else net.axonal_delays
    assert learned.grad is not None and (learned.grad != 0).all()


def test_values_that_are_ours_given_in_raw_units_are_ours_to_the_bit() -> None:
    ours, raw = drawn(w_rec_sd=None), drawn(w_rec_sd=0.2 / np.sqrt(128))
    assert torch.equal(ours.w_rec, raw.w_rec)


def test_without_output_bias_none_is_learned() -> None:
    net = drawn(output_bias=False)
    assert (net.b_out == 0).all() and not net.b_out.requires_grad
    assert net.learned_parameters == drawn().learned_parameters - 20
