"""Nothing may go by validation samples where a sweep holds none out."""

from pathlib import Path

import pytest
from shd_file import write_shd

from model.datasets import load_splits
from service.config.load import load
from service.errors import UserError

SWEEP = """\
name: all_train
data: {path: train.h5, test: test.h5, validation: 0}
learner: {hidden: 6, epochs: 4, duration: 600.0}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}}
search: {sampler: random, trials: 3}
objectives: [{metric: train_accuracy, goal: max}]
constraints: [{metric: silent, max: 0.9}]
stopping: {rule: asha, silent_after: 2}
"""
CURE = "set `patience_on` to train_accuracy, or `data.validation` above 0"


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    write_shd(tmp_path / "train.h5", 12)
    write_shd(tmp_path / "test.h5", 6, seed=1)
    file = tmp_path / "all_train.yaml"
    file.write_text(SWEEP)
    return file


def faults(sweep: Path, *options: str) -> str:
    try:
        load(sweep, options)
    except UserError as error:
        return str(error)
    return ""


def test_all_samples_train(sweep: Path) -> None:
    splits = load_splits(load(sweep).data)
    assert (len(splits.train), len(splits.validation)) == (12, 0)
    assert splits.test is not None and splits.held_out == ("test", splits.test)


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ("objectives=null", "`accuracy` is measured on validation samples, and `data.validation` is 0"),
        ("objectives=[{metric: loss, goal: min}]", "objectives.0.metric: `loss` is measured on validation"),
        ("constraints=[{metric: accuracy, min: 0.5}]", "constraints.0.metric: `accuracy` is measured on"),
        ("objectives.0.metric=accuracy", "take train_accuracy, or hold some out"),
        ("learner.patience=3", f"learner.patience: needs validation samples, and there are none; {CURE}"),
        ("learner.keep=best", f"learner.keep: needs validation samples, and there are none; {CURE}"),
        (
            "space={learner.keep: {choice: [best, last]}}",
            f"space.learner.keep: needs validation samples, and there are none; {CURE}",
        ),
        (
            "space={learner.keep: {choice: [last, best]}}",
            f"space: suggests what cannot be: `keep` needs validation samples, and there are none; {CURE}",
        ),
    ],
)
def test_what_goes_by_validation_is_refused_with_the_cure(sweep: Path, option: str, fault: str) -> None:
    assert fault in faults(sweep, option)


def test_pruned_networks_need_samples_that_were_not_trained_on(sweep: Path) -> None:
    assert not faults(sweep, "record={pruning: true}")
    said = faults(sweep, "record={pruning: true}", "data={path: train.h5, validation: 0}")
    assert "record.pruning: needs samples that have not been trained on; give `data.test`, or" in said
    said = faults(sweep, "record={lesions: true}", "data={path: train.h5, validation: 0}")
    assert "record.lesions: needs samples that have not been trained on; give `data.test`, or" in said


def test_a_share_that_may_be_zero_counts_as_zero(sweep: Path) -> None:
    options = (
        "data={path: train.h5, test: test.h5}",
        "objectives=[{metric: accuracy, goal: max}]",
        "space={data.validation: {choice: [0.2, 0]}}",
    )
    assert "objectives.0.metric: `accuracy` is measured on validation samples" in faults(sweep, *options)
    assert not faults(sweep, *options[:2], "space={data.validation: {choice: [0.2, 0.3]}}")


def test_what_goes_by_training_is_legal(sweep: Path) -> None:
    assert not faults(sweep, "learner.patience=3", "learner.keep=best", "learner.patience_on=train_accuracy")


def test_splits_that_are_fixed_stay(sweep: Path) -> None:
    said = faults(sweep, "data={name: digits, validation: 0}")
    assert "`validation` has no meaning for digits, whose splits are fixed; leave it out" in said
