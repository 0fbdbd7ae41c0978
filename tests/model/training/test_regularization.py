"""Dropout and smoothed labels in training: what is random, what is learned from, and what stays as it is."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from model import LearnerConfig, SpikeDataset
from model.analysis.evaluation import cross_entropy, evaluate
from model.datasets import Splits
from model.training.order import draw_dropped
from model.training.trainer import Trainer


def some_data(samples: int = 12) -> SpikeDataset:
    draw = np.random.default_rng(5)
    events = [(np.sort(draw.uniform(0, 30, 20)), draw.integers(0, 4, 20)) for _ in range(samples)]
    return SpikeDataset.from_events(events, np.arange(samples) % 3, 4, 3)


DATA = some_data()
SPLITS = Splits(DATA, DATA, None)


def trainer(seeds: tuple[int, ...] = (0, 1), **config: Any) -> Trainer:
    defaults: dict[str, Any] = {"hidden": 6, "duration": 30.0, "epochs": 4, "batch_size": 5}
    return Trainer(LearnerConfig(**(defaults | config)), SPLITS, seeds)


def weights(one: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in one.net.named_parameters()}


def test_who_is_dropped_depends_on_seed_epoch_and_place_alone() -> None:
    config = LearnerConfig(hidden=400, dropout=0.3)
    found = draw_dropped(config, [7, 8], 2, 32, 10)
    assert found is not None and found.shape == (2, 10, 400)
    assert abs(found.double().mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / found.numel())
    again = draw_dropped(config, [8], 2, 32, 10)
    assert again is not None and torch.equal(again[0], found[1])
    others = [found[0], draw_dropped(config, [8], 3, 32, 10), draw_dropped(config, [8], 2, 0, 10)]
    for other in others:
        assert other is not None and not torch.equal(other.reshape(10, 400), found[1])
    assert draw_dropped(LearnerConfig(), [7], 0, 0, 10) is None


def test_training_with_dropout_is_the_same_when_it_was_stopped_and_in_other_company() -> None:
    whole, stopped, alone = (trainer(seeds, dropout=0.4) for seeds in ((0, 1), (0, 1), (1,)))
    plain = trainer()
    for one in (whole, plain, alone):
        for _ in range(3):
            one.run_epoch()
    stopped.run_epoch()
    resumed = Trainer.resume(stopped.checkpoint(), SPLITS)
    for _ in range(2):
        resumed.run_epoch()
    for name, value in weights(whole).items():
        assert torch.equal(weights(resumed)[name], value), name
        assert torch.equal(weights(alone)[name][0], value[1]), name
    assert not torch.equal(weights(plain)["w_in"], weights(whole)["w_in"])


def test_a_trained_network_answers_with_all_of_its_neurons() -> None:
    one = trainer(dropout=0.4)
    one.run_epoch()
    out = one.net(DATA, np.tile(np.arange(len(DATA)), (2, 1)))
    assert (evaluate(one.net, DATA).answers == out.logits.argmax(2).numpy()).all()
    features = out.features[..., one.net.layers.heard] @ one.net.w_out + one.net.b_out[:, None]
    torch.testing.assert_close(out.logits, features)


def test_smoothed_cross_entropy_is_that_of_its_definition() -> None:
    logits = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.tensor([[0, 1, 2, 2], [1, 1, 0, 2]])
    target = 0.8 * torch.nn.functional.one_hot(labels, 3) + 0.2 / 3
    expected = -(target * logits.log_softmax(2)).sum(2)
    torch.testing.assert_close(cross_entropy(logits, labels, 0.2), expected)


def test_smoothing_changes_what_is_learned_and_not_what_is_reported() -> None:
    """The loss of a first epoch of one batch is that of the start, which is the same."""
    plain, smoothed = (trainer(batch_size=99, label_smoothing=share) for share in (0.0, 0.5))
    losses = [one.run_epoch()["train_loss"] for one in (plain, smoothed)]
    assert (losses[0] == losses[1]).all()
    assert not torch.equal(weights(plain)["w_out"], weights(smoothed)["w_out"])


@pytest.mark.parametrize("field", ["dropout", "label_smoothing"])
def test_all_of_it_is_refused(field: str) -> None:
    one: dict[str, Any] = {field: 1.0}
    with pytest.raises(ValueError, match=f"`{field}`: got 1.0, expected a number of at least 0 and below 1"):
        LearnerConfig(**one)


def test_networks_with_windows_are_drawn_kept_and_learn() -> None:
    one = trainer(readout_windows=3, drive_norm=0.5, dropout=0.2, label_smoothing=0.1)
    assert one.net.w_out.shape == (2, 6, 9)
    logits = one.net(DATA, np.tile(np.arange(len(DATA)), (2, 1))).logits
    assert 0.2 < logits.std() < 5
    before = weights(one)["w_out"]
    one.run_epoch()
    again = Trainer.resume(one.checkpoint(), SPLITS)
    assert (weights(again)["w_out"] != before).any((0, 1)).all()
    assert again.run_epoch()["train_loss"].tolist() == one.run_epoch()["train_loss"].tolist()
