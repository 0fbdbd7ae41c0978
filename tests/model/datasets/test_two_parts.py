"""Two digits at once: what is in each half, who is paired with whom, and where the samples come from."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shd_file import write_shd

from model import SpikeDataset, load_dataset
from model.datasets import DataConfig, DataError
from model.datasets.config import KINDS
from model.datasets.two_parts import USES, two_parts


@st.composite
def sources(draw: st.DrawFn) -> SpikeDataset:
    """Up to 12 samples of up to 6 classes, empty ones among them, whose times are all different."""
    channels, size = draw(st.integers(1, 9)), draw(st.integers(0, 12))
    labels = draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    events = []
    for n in range(size):
        found = draw(st.lists(st.integers(0, channels - 1), max_size=5))
        events.append(([100.0 * n + k for k in range(len(found))], found))
    return SpikeDataset.from_events(events, labels, channels, 6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sources(), st.integers(0, 3))
def test_halves_never_mix_and_each_sample_is_in_each_as_often(source: SpikeDataset, seed: int) -> None:
    pairs = two_parts(source, seed)
    half = (source.n_channels + 1) // 2
    kept = [n for n in range(len(source)) if source.labels[n] < KINDS]
    assert (pairs.n_channels, pairs.n_classes) == (2 * half, KINDS**2)
    assert len(pairs) == USES * len(kept)

    def as_spikes(n: int) -> tuple[int, tuple[tuple[float, int], ...]]:
        """Class and spikes of a sample as they should be in a half."""
        spikes = zip(source.times[n].tolist(), (source.channels[n] // 2).tolist(), strict=True)
        return int(source.labels[n]), tuple(sorted(spikes))

    found: list[Counter[tuple[int, tuple[tuple[float, int], ...]]]] = [Counter(), Counter()]
    for n in range(len(pairs)):
        times, channels = pairs.times[n], pairs.channels[n]
        for part, label in enumerate(divmod(int(pairs.labels[n]), KINDS)):
            own = channels // half == part
            spikes = zip(times[own].tolist(), (channels[own] - part * half).tolist(), strict=True)
            found[part][label, tuple(sorted(spikes))] += 1
    expected = Counter(as_spikes(n) for n in kept for _ in range(USES))
    assert found == [expected, expected]


def test_partners_are_drawn_and_the_halves_tell_nothing_of_each_other() -> None:
    train, validation, test = load_dataset("two_digits")
    again = load_dataset("two_digits").train
    assert train.digest() == again.digest() != two_parts(load_dataset("digits").train, 9).digest()
    assert test is not None and (train.n_channels, train.n_classes) == (64, 16)
    for part, name in zip((train, validation, test), ("train", "validation", "test"), strict=True):
        single = getattr(load_dataset("digits"), name)
        assert len(part) == USES * (single.labels < KINDS).sum()
        table = np.bincount(part.labels, minlength=16).reshape(4, 4)
        expected = table.sum(1)[:, None] * table.sum(0) / len(part)
        assert ((table - expected) ** 2 / expected).sum() < 21.7  # chi squared, 9 degrees of freedom, 1 %


def test_samples_of_a_file_are_split_before_they_are_paired(tmp_path: Path) -> None:
    write_shd(tmp_path / "train.h5", 60, classes=5)
    write_shd(tmp_path / "test.h5", 10, classes=5, seed=1)
    train, test = tmp_path / "train.h5", tmp_path / "test.h5"
    single, pairs = load_dataset(path=train, test=test), load_dataset("two_digits", path=train, test=test)
    for one, two in zip(single, pairs, strict=True):
        assert one is not None and two is not None
        assert len(two) == USES * (one.labels < KINDS).sum() > 0
        assert set(two.times.flat.tolist()) <= set(one.times.flat.tolist())
    alone = load_dataset("two_digits", path=tmp_path / "train.h5", validation=0)
    assert alone.test is None and len(alone.validation) == 0 and alone.train.n_channels == 40


def test_files_without_one_of_the_classes_are_refused_with_the_cure(tmp_path: Path) -> None:
    write_shd(tmp_path / "few.h5", 30, classes=3)
    with pytest.raises(DataError, match=r"few\.h5: has no sample of class 3 to train on, .* give a file"):
        load_dataset("two_digits", path=tmp_path / "few.h5")


def test_name_and_path_go_together_here_alone() -> None:
    assert DataConfig("two_digits").parts == DataConfig("two_digits", "a.h5").parts == (KINDS, KINDS)
    assert DataConfig("digits").parts == ()
    assert DataConfig("two_digits").is_split and not DataConfig("two_digits", "a.h5").is_split
    assert DataConfig("two_digits", "a.h5", validation_group=3, time_unit="ms").validation_group == 3
    for given_values, fault in (
        ({"validation": 0.2}, "`validation` has no meaning for two_digits"),
        ({"test": "b.h5"}, "`test` goes with `path`"),
    ):
        with pytest.raises(ValueError, match=fault):
            DataConfig("two_digits", **given_values)
