from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from spike_files import write_numbered

from model.datasets import DataConfig, DataError, SpikeDataset, load_dataset
from model.datasets.load import load_splits


def identities(data: SpikeDataset) -> list[int]:
    """Which samples of a numbered file these are."""
    return [int(channel) for channel in data.channels.flat]


def test_validation_is_a_stratified_share_of_training_and_test_is_apart(tmp_path: Path) -> None:
    labels = [0, 1] * 20
    path = write_numbered(tmp_path / "train.h5", labels, speakers=[7] * 40)
    test_path = write_numbered(tmp_path / "test.h5", [0, 2], first=50, speakers=[7, 8])
    train, validation, test = load_dataset(path=path, test=test_path, validation=0.2, seed=3)
    assert test is not None and test.groups is not None and train.groups is not None
    assert sorted(identities(train) + identities(validation)) == list(range(40))
    assert identities(test) == [50, 51]
    assert np.bincount(validation.labels).tolist() == [4, 4]
    for part in (train, validation):
        assert part.labels.tolist() == [labels[i] for i in identities(part)]
        assert part.times.flat.tolist() == [1000.0 * i for i in identities(part)]
    assert {(part.n_channels, part.n_classes) for part in (train, validation, test)} == {(52, 3)}
    assert np.isin(test.groups, train.groups).tolist() == [True, False]


def test_the_seed_decides_which_samples_are_held_out(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 20)
    held_out = [identities(load_dataset(path=path, seed=seed).validation) for seed in (0, 0, 1)]
    assert held_out[0] == held_out[1] != held_out[2]
    assert len(held_out[0]) == 4
    assert load_dataset(path=path).test is None


def test_every_class_is_held_out_if_it_can_be(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0] * 30 + [1, 1, 2])
    train, validation, _ = load_dataset(path=path, validation=0.1)
    assert set(validation.labels.tolist()) == {0, 1}
    assert set(train.labels.tolist()) == {0, 1, 2}


def test_too_few_samples_to_hold_any_out_are_an_error(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 1, 2])
    with pytest.raises(DataError, match=r"train\.h5: no class has more than one sample"):
        load_dataset(path=path)


def test_a_group_is_held_out_as_a_whole(tmp_path: Path) -> None:
    speakers = [7, 8, 7, 9, 9, 7]
    path = write_numbered(tmp_path / "train.h5", [0, 1, 0, 1, 2, 2], speakers=speakers)
    test_path = write_numbered(tmp_path / "test.h5", [0, 2], first=50, speakers=[7, 8])
    train, validation, test = load_dataset(path=path, test=test_path, validation_group=7)
    assert (identities(validation), identities(train)) == ([0, 2, 5], [1, 3, 4])
    assert test is not None and identities(test) == [50, 51]
    assert train.n_classes == validation.n_classes == 3


def test_of_three_groups_one_is_held_out_unless_a_share_is_asked_for(tmp_path: Path) -> None:
    speakers = [7, 8, 9, 9] * 10
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 20, speakers=speakers)
    held_out = []
    for seed in range(20):
        train, validation, _ = load_dataset(path=path, seed=seed)
        assert train.groups is not None and validation.groups is not None
        assert len(set(validation.groups)) == 1 and not set(validation.groups) & set(train.groups)
        assert len(train) + len(validation) == 40
        held_out.append(validation.groups[0])
    assert set(held_out) == {7, 8, 9}
    assert len(load_dataset(path=path, validation=0.1).validation) == 4


def test_of_two_groups_none_is_held_out_unasked(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 20, speakers=[7, 8] * 20)
    assert len(load_dataset(path=path).validation) == 4


@pytest.mark.parametrize(
    ("speakers", "message"),
    [
        (None, "`validation_group`: the data have no groups; leave it out"),
        ([7, 8], "`validation_group`: got 9, but there is no such group in training; the groups are 7, 8"),
        ([9, 9], "`validation_group`: got 9, but there is no other group to train on; the groups are 9"),
    ],
)
def test_a_group_that_cannot_be_held_out_is_an_error(
    tmp_path: Path, speakers: list[int] | None, message: str
) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 0], speakers=speakers)
    with pytest.raises(DataError, match=rf"train\.h5: {message}"):
        load_dataset(path=path, validation_group=9)


@pytest.mark.parametrize("validation", [1.0, -0.1, float("nan")])
def test_a_share_that_leaves_nothing_is_an_error(tmp_path: Path, validation: float) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 0])
    with pytest.raises(ValueError, match="`validation`"):
        load_dataset(path=path, validation=validation)


def test_a_share_of_zero_holds_nothing_out(tmp_path: Path) -> None:
    """Also where there are speakers enough to hold one out unasked."""
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 6, speakers=[1, 2, 3] * 4)
    train, validation, test = load_dataset(path=path, validation=0)
    assert identities(train) == list(range(12)) and len(validation) == 0 and test is None
    assert (validation.n_channels, validation.n_classes) == (train.n_channels, train.n_classes)


def test_what_trained_networks_are_shown_was_held_out_if_anything_was(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 6)
    with_test, without = load_dataset(path=path, test=path), load_dataset(path=path)
    all_train = load_dataset(path=path, validation=0)
    assert with_test.held_out == ("test", with_test.test)
    assert without.held_out == ("validation", without.validation)
    assert all_train.held_out == ("training", all_train.train)


def test_a_configuration_loads_the_same_as_its_arguments(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "train.h5", [0, 1] * 20)
    config = DataConfig(path=str(path), validation=0.25, seed=5)
    by_config, by_arguments = load_splits(config), load_dataset(path=path, validation=0.25, seed=5)
    assert by_config.train.digest() == by_arguments.train.digest()
    assert by_config.validation.digest() == by_arguments.validation.digest()


def test_an_unknown_name_is_an_error_that_helps() -> None:
    with pytest.raises(ValueError, match="digits"):
        load_dataset("digit")


def test_digits_are_all_of_scikit_learns_once() -> None:
    parts = load_dataset("digits")
    assert parts.test is not None
    images = []
    for part, size in zip(parts, (1197, 300, 300), strict=True):
        assert part is not None
        assert (len(part), part.n_channels, part.n_classes) == (size, 64, 10)
        shares = np.bincount(part.labels, minlength=10) / size
        assert np.abs(shares - np.bincount(load_digits().target) / 1797).max() < 1 / size
        for i in range(size):
            image = np.zeros(64)
            image[part.channels[i]] = 16 * (1 - part.times[i] / 50)  # the code, inverted
            images.append((*image.tolist(), int(part.labels[i])))
    bundled = load_digits()
    expected = [
        (*image, int(label)) for image, label in zip(bundled.data.tolist(), bundled.target, strict=True)
    ]
    assert sorted(images) == sorted(expected)
    assert parts.train.times.flat.dtype == np.float32
    assert parts.train.latest == 46.875


def test_the_split_of_digits_never_changes() -> None:
    """Results on digits can be compared only while everyone has the same split."""
    pinned = ["7e454288c0a7", "a9b614a8177e", "dab37cc6da0a"]
    assert [part.digest()[:12] for part in load_dataset("digits") if part is not None] == pinned
