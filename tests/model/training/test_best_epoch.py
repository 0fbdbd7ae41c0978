"""The best epoch: what tells it, that its networks are kept, each replicate's own, also after a kill."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from model import LearnerConfig, SpikeDataset
from model.arrays import Array
from model.datasets import Splits
from model.network.best import Best
from model.network.checkpoint import unpack
from model.training.trainer import Trainer

CONFIG = LearnerConfig(
    hidden=8,
    epochs=9,
    batch_size=8,
    duration=30.0,
    delay_scale=5.0,
    learning_rate=1.0,
    schedule="constant",
    patience_on="train_accuracy",
    keep="best",
)
"""Steps so large that accuracy goes up and down."""


@pytest.fixture
def splits() -> Splits:
    def some(samples: int, seed: int) -> SpikeDataset:
        draw = np.random.default_rng(seed)
        labels = np.arange(samples) % 3
        events = [(np.sort(draw.uniform(0, 20, 9)) + 3 * label, draw.integers(0, 6, 9)) for label in labels]
        return SpikeDataset.from_events(events, labels, 6, 3)

    return Splits(some(30, 0), some(12, 1), some(12, 2))


State = dict[str, torch.Tensor]
Course = list[tuple[dict[str, Array], State]]


def state_of(trainer: Trainer) -> State:
    return {name: value.clone() for name, value in trainer.net.state_dict().items()}


def course_of(trainer: Trainer) -> Course:
    """Metrics and networks after each epoch, until training is over."""
    found: Course = []
    while not trainer.finished:
        metrics = trainer.run_epoch()
        found.append((metrics, state_of(trainer)))
    return found


@pytest.mark.parametrize(("by", "sign"), [("train_accuracy", -1), ("validation_loss", 1)])
def test_the_kept_networks_equal_those_of_each_ones_best_epoch(splits: Splits, by: Any, sign: int) -> None:
    trainer = Trainer(replace(CONFIG, patience_on=by), splits, [0, 1, 2])
    course = course_of(trainer)
    metric = by.replace("validation_", "")
    values = np.array([metrics[metric] for metrics, _ in course]) * sign
    best = values.argmin(0)  # the first of equal ones
    assert len(set(best)) > 1 and (best < 8).any()  # or the test would show little
    kept = trainer.take_best()
    assert trainer.best.epochs == (best + 1).tolist()
    for r, epoch in enumerate(best):
        metrics, state = course[epoch]
        for name, value in trainer.net.state_dict().items():
            assert torch.equal(value[r], state[name][r]), name
        assert set(kept) == set(metrics) - {"seconds"}
        assert all(kept[name][r] == metrics[name][r] for name in kept)
    assert trainer.observed.loss.tolist() == kept["loss"].tolist()  # asked anew


def test_the_last_networks_are_kept_unless_the_best_are_asked_for(splits: Splits) -> None:
    trainer = Trainer(replace(CONFIG, keep="last", epochs=3), splits, [0, 1])
    course = course_of(trainer)
    assert trainer.take_best() == {} and trainer.best.networks == {}
    assert all(torch.equal(value, course[-1][1][name]) for name, value in trainer.net.state_dict().items())


def test_a_replicate_ends_by_its_own_patience_as_if_alone(splits: Splits) -> None:
    config = replace(CONFIG, patience=2, epochs=30)
    together = Trainer(config, splits, [0, 1, 2])
    course_of(together)
    together.take_best()
    lengths = []
    for r in range(3):
        alone = Trainer(config, splits, [r])
        lengths.append(len(course_of(alone)))
        alone.take_best()
        assert alone.best.epochs == together.best.epochs[r : r + 1]
        for name, value in alone.net.state_dict().items():
            torch.testing.assert_close(value[0], together.net.state_dict()[name][r], rtol=1e-3, atol=1e-5)
    assert len(set(lengths)) > 1 and together.epoch == max(lengths)


def test_the_mean_ends_training_where_the_last_networks_are_kept(splits: Splits) -> None:
    trainer = Trainer(replace(CONFIG, keep="last", patience=2, epochs=30), splits, [0, 1, 2])
    means = [metrics["train_accuracy"].mean() for metrics, _ in course_of(trainer)]
    assert len(means) < 30
    assert int(np.argmax(means)) == len(means) - 3
    assert trainer.best.epochs == [len(means) - 2]


def test_after_a_kill_at_any_epoch_the_kept_networks_are_the_same_to_the_bit(splits: Splits) -> None:
    whole = Trainer(CONFIG, splits, [0, 1])
    checkpoints = []
    while not whole.finished:
        checkpoints.append(whole.checkpoint())
        whole.run_epoch()
    kept = whole.take_best()
    for checkpoint in checkpoints:
        taken_up = Trainer.resume(checkpoint, splits)
        course_of(taken_up)
        found = taken_up.take_best()
        assert all(found[name].tolist() == kept[name].tolist() for name in kept)
        assert taken_up.best.plain() == whole.best.plain()
        for name, value in whole.net.state_dict().items():
            assert torch.equal(value, taken_up.net.state_dict()[name]), name


def test_pruned_synapses_are_kept_with_their_networks(splits: Splits) -> None:
    trainer = Trainer(replace(CONFIG, wiring_cost=3.0, prune_zeros=True, epochs=6), splits, [0, 1])
    course = course_of(trainer)
    trainer.take_best()
    for r, epoch in enumerate(trainer.best.epochs):
        assert torch.equal(trainer.net.mask[r], course[epoch - 1][1]["mask"][r])


def test_networks_alone_have_no_others_beside_them(splits: Splits) -> None:
    trainer = Trainer(CONFIG, splits, [0, 1])
    trainer.run_epoch()
    assert unpack(trainer.networks())[3].networks == {}
    assert set(unpack(trainer.checkpoint())[3].networks) == set(trainer.net.state_dict())


def test_the_best_epoch_that_an_earlier_version_wrote_is_read() -> None:
    best = Best.from_plain({"loss": 0.5, "epoch": 3}, {})
    assert (best.costs, best.epochs, best.over(5, 2)) == ([0.5], [3], [True])


class TestWithoutValidation:
    """All samples train."""

    @pytest.fixture
    def all_train(self, splits: Splits) -> Splits:
        return splits._replace(validation=splits.train.subset([]))

    def test_what_would_be_measured_there_is_absent(self, all_train: Splits) -> None:
        trainer = Trainer(CONFIG, all_train, [0, 1])
        metrics = trainer.run_epoch()
        assert not {"loss", "accuracy"} & set(metrics)
        assert trainer.fault(metrics) is None

    def test_rates_are_those_in_training(self, all_train: Splits) -> None:
        config = replace(CONFIG, w_in_learning_rate=0.0, w_rec_learning_rate=0.0, w_out_learning_rate=0.0)
        config = replace(config, position_learning_rate=0.0)  # nothing moves, but the bias
        trainer = Trainer(config, all_train, [0, 1])
        counts = trainer.net(all_train.train, np.tile(np.arange(30), (2, 1))).counts.detach()
        metrics = trainer.run_epoch()
        np.testing.assert_allclose(metrics["rate"], counts.mean((1, 2)), rtol=1e-6)
        np.testing.assert_allclose(metrics["silent"], (counts.sum(1) == 0).double().mean(1))

    def test_networks_are_observed_in_training_samples(self, all_train: Splits) -> None:
        trainer = Trainer(CONFIG, all_train, [0, 1])
        assert trainer.observed.labels.tolist() == all_train.train.labels.tolist()

    @pytest.mark.parametrize(("field", "value"), [("patience", 3), ("keep", "best")])
    def test_what_needs_it_says_so(self, all_train: Splits, field: str, value: Any) -> None:
        config = replace(CONFIG, **{"patience_on": "validation_loss", "keep": "last", field: value})
        with pytest.raises(ValueError, match=f"`{field}` needs validation samples, and there are none; set"):
            Trainer(config, all_train, [0])
