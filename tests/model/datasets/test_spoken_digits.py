import numpy as np

from benchmarks.shipped_digits import EVERY, POOL, STEP, pooled
from model.datasets import load_dataset
from model.datasets.spoken_digits import load_spoken_digits


def test_speakers_of_validation_and_of_half_the_test_are_heard_nowhere_else() -> None:
    train, validation, test = load_spoken_digits()
    assert [len(part) for part in (train, validation, test)] == [1000, 200, 300]
    assert train.groups is not None and validation.groups is not None and test.groups is not None
    assert set(train.groups) == {0, 1, 2, 3} and set(validation.groups) == {4}
    assert set(test.groups) == {0, 1, 2, 3, 4, 5} and (test.groups == 5).sum() == 150
    for part in (train, validation, test):
        assert (part.n_channels, part.n_classes) == (70, 10)
        assert (np.bincount(part.labels) == len(part) // 10).all()
        assert set(part.channels.flat.tolist()) <= set(range(70)) and part.times.flat.max() < 2300


def test_no_recording_is_there_twice() -> None:
    samples = [
        (tuple(part.times[i].tolist()), tuple(part.channels[i].tolist()))
        for part in load_spoken_digits()
        for i in range(len(part))
    ]
    assert len(set(samples)) == len(samples) == 1500


def test_it_is_had_by_name() -> None:
    parts = load_dataset("spoken_digits")
    assert parts.test is not None and len(parts.validation) == 200
    assert parts.train.times.flat.tolist() == load_spoken_digits()[0].times.flat.tolist()


def test_a_pooled_channel_fires_at_every_eighth_spike_that_it_hears() -> None:
    rng = np.random.default_rng(0)
    times, channels = np.sort(rng.uniform(0, 100, 400)), rng.integers(0, 30, 400)
    steps, pools = pooled(times, channels)
    heard, expected = [0, 0, 0], []
    for time, channel in zip(times, channels, strict=True):
        heard[channel // POOL] += 1
        if heard[channel // POOL] % EVERY == 0:
            expected.append((round(time / STEP), channel // POOL))
    assert sorted(expected) == list(zip(steps.tolist(), pools.tolist(), strict=True))
