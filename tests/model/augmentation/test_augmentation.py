"""Augmentation against a naive reference, and its statistics against what they should be."""

from concurrent.futures import ThreadPoolExecutor
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from parts import alone

from model import SpikeDataset
from model.augmentation import Augmentation, augment, kernel

Array = NDArray[Any]
MASK = 2**64 - 1
bits, sort = alone(kernel.bits), alone(kernel.sort)
ALL = Augmentation(shift=3, warp=2, blend=0.6, stretch=0.2, jitter=1.5, drop=0.1)


def spoken(samples: int = 12, spikes: int = 60, channels: int = 20, dtype: Any = np.float32) -> SpikeDataset:
    """Samples of different lengths and places in three classes; one is empty, and one alone in its class."""
    draw = np.random.default_rng(5)
    events = []
    for sample in range(samples):
        size = 0 if sample == 4 else spikes + sample
        times = np.sort(draw.uniform(20 + 5 * sample, 100 + 5 * sample, size)).astype(dtype)
        events.append((times, draw.integers(sample % 7, channels - 5, size)))
    return SpikeDataset.from_events(events, [2, *(np.arange(1, samples) % 2)], channels, 3)


def one_sample(times: Array, channels: Array, n_channels: int, copies: int = 1) -> SpikeDataset:
    return SpikeDataset.from_events([(times, channels)] * copies, np.zeros(copies, int), n_channels, 1)


def naive_bits(key: int, place: int) -> int:
    """SplitMix64 after `place` + 1 steps, on whole numbers of any size."""
    state = (key + (place + 1) * 0x9E3779B97F4A7C15) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def naive_draw(data: SpikeDataset, sample: int, seed: int, how: Augmentation) -> tuple[Array, Array]:
    """One draw without jitter, straight from the definition."""
    key = naive_bits(naive_bits(seed, 0), sample)

    def uniform(place: int) -> float:
        return (naive_bits(key, place) >> 11) / 2**53

    def share(place: int, size: int, kept: float) -> Array:
        return np.array([uniform(place + i) < kept for i in range(size)], dtype=bool)

    times, channels = data.times[sample].astype(float), data.channels[sample].astype(int)
    others = [int(other) for other in np.flatnonzero(data.labels == data.labels[sample])]
    if uniform(0) < how.blend and len(others) > 1:
        partner = others[int(uniform(1) * (len(others) - 1))]
        partner = others[-1] if partner == sample else partner
        more_times, more_channels = data.times[partner].astype(float), data.channels[partner].astype(int)
        if len(times) and len(more_times):
            later = more_times.mean() - times.mean()
            higher = round(more_channels.mean() - channels.mean())
            times, more_times = times + later / 2, more_times - later / 2
            channels, more_channels = channels + higher // 2, more_channels - (higher - higher // 2)
        kept = share(1 << 40, len(times), (1 - how.drop) / 2)
        more_kept = share(2 << 40, len(more_times), (1 - how.drop) / 2)
        times = np.concatenate([times[kept], more_times[more_kept]])
        channels = np.concatenate([channels[kept], more_channels[more_kept]])
    else:
        kept = share(1 << 40, len(times), 1 - how.drop)
        times, channels = times[kept], channels[kept]
    limit = int(how.shift)
    channels = channels + int(uniform(2) * (2 * limit + 1)) - limit
    half = (data.n_channels - 1) / 2
    bends = [how.warp * (2 * uniform(4 + knot) - 1) for knot in range(3)]
    channels = channels + np.floor(np.interp(channels, [0, half, 2 * half], bends) + 0.5).astype(int)
    times = times * (1 - how.stretch + 2 * how.stretch * uniform(3))
    order = np.argsort(times, kind="stable")
    times, channels = times[order], channels[order]
    legal = (times >= 0) & (channels >= 0) & (channels < data.n_channels)
    return times[legal], channels[legal]


def test_random_numbers_are_those_of_splitmix64() -> None:
    # The published first outputs for the seed 1234567.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(bits(np.uint64(1234567), place)) for place in range(4)] == published


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_asked_for_changes_nothing(dtype: Any) -> None:
    data, samples = spoken(dtype=dtype), np.array([3, 0, 4, 3, 11])
    times, channels = augment(data, samples, np.arange(5), Augmentation())
    for found, wanted in ((times, data.times.take(samples)), (channels, data.channels.take(samples))):
        assert found.flat.dtype == wanted.flat.dtype
        assert found.flat.tobytes() == wanted.flat.tobytes()
        np.testing.assert_array_equal(found.offsets, wanted.offsets)


@pytest.mark.parametrize(
    "how",
    [
        Augmentation(shift=6),
        Augmentation(warp=5.5),
        Augmentation(stretch=0.5),
        Augmentation(drop=0.3),
        Augmentation(blend=1),
        Augmentation(shift=6.9, warp=3, blend=0.5, stretch=0.9, drop=0.2),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_the_naive_draw(how: Augmentation, dtype: Any) -> None:
    data = spoken(dtype=dtype)
    samples, seeds = (
        np.tile(np.arange(12), 8),
        np.repeat(np.arange(8, dtype=np.uint64) * np.uint64(2**61), 12),
    )
    times, channels = augment(data, samples, seeds, how)
    for draw, (sample, seed) in enumerate(zip(samples, seeds, strict=True)):
        wanted_times, wanted_channels = naive_draw(data, int(sample), int(seed), how)
        np.testing.assert_allclose(times[draw], wanted_times, rtol=1e-6 if dtype == np.float32 else 1e-12)
        np.testing.assert_array_equal(channels[draw], wanted_channels)


def test_shifts_are_uniform_whole_numbers() -> None:
    data = one_sample(np.arange(3.0), np.array([10, 11, 12]), 30)
    _, channels = augment(data, np.zeros(7000, int), np.arange(7000), Augmentation(shift=3.7))
    drawn = channels.flat.reshape(7000, 3)
    np.testing.assert_array_equal(np.diff(drawn, axis=1), 1)
    shifts, counts = np.unique(drawn[:, 0] - 10, return_counts=True)
    np.testing.assert_array_equal(shifts, np.arange(-3, 4))
    assert np.sum((counts - 1000) ** 2 / 1000) < 22.5  # chi-squared, 6 degrees of freedom, p = 0.001


def test_warps_move_ends_and_middle_each_by_itself_and_keep_lines_between() -> None:
    spread = np.array([30, 40, 50, 60, 70])
    data = one_sample(np.arange(5.0), spread, 101)
    _, channels = augment(data, np.zeros(4000, int), np.arange(4000), Augmentation(warp=20))
    moved = channels.flat.reshape(4000, 5) - spread
    below, above = (moved[:, 0] - moved[:, 2]) / 0.4, (moved[:, 4] - moved[:, 2]) / 0.4  # out to the ends
    for ends, middle in ((below + moved[:, 2], moved[:, 2]), (above + moved[:, 2], moved[:, 2])):
        assert abs(ends.mean()) < 1 and abs(ends.std() - 40 / 12**0.5) < 0.8
        assert abs(np.corrcoef(ends, middle)[0, 1]) < 0.05
    assert moved[:, 2].min() == -20 and moved[:, 2].max() == 20
    assert (abs(moved[:, 1] - (moved[:, 0] + moved[:, 2]) / 2) <= 1).all()  # each is a whole channel
    assert (abs(moved[:, 3] - (moved[:, 4] + moved[:, 2]) / 2) <= 1).all()


def test_channels_that_leave_the_range_are_dropped() -> None:
    data = one_sample(np.arange(10.0), np.arange(10), 10)
    times, channels = augment(data, np.zeros(200, int), np.arange(200), Augmentation(shift=4))
    for draw in range(200):
        up = channels[draw][0] - int(times[draw][0])  # channel and time were equal
        np.testing.assert_array_equal(channels[draw], np.arange(max(up, 0), min(10 + up, 10)))
    assert set(channels.lengths) == {6, 7, 8, 9, 10}


def test_stretch_multiplies_all_times_by_one_uniform_factor() -> None:
    data = one_sample(np.array([1.0, 2.0, 100.0]), np.zeros(3, int), 1)
    times, _ = augment(data, np.zeros(5000, int), np.arange(5000), Augmentation(stretch=0.4))
    drawn = times.flat.reshape(5000, 3)
    factors = np.sort(drawn[:, 0])
    np.testing.assert_allclose(drawn, drawn[:, :1] * [1, 2, 100])
    assert distance(factors, (factors - 0.6) / 0.8) < 0.0276  # Kolmogorov-Smirnov, p = 0.001


def test_jitter_is_normal_and_independent() -> None:
    data = one_sample(np.full(20_000, 100.0), np.arange(20_000), 20_000, copies=2)
    times, channels = augment(data, np.array([0, 1, 0]), np.array([1, 1, 2]), Augmentation(jitter=2.5))
    noise = np.empty((3, 20_000))
    for draw in range(3):
        noise[draw, channels[draw]] = times[draw] - 100  # back in the order of the data
    normal = np.vectorize(NormalDist(0, 2.5).cdf)
    for one in noise:
        assert distance(one, normal(np.sort(one))) < 0.0138  # p = 0.001
    correlations = np.corrcoef(np.vstack([noise, np.roll(noise[0], 1), np.roll(noise[0], 2), noise[0] ** 2]))
    assert np.abs(correlations - np.eye(6)).max() < 0.03


def test_spikes_jittered_below_zero_are_reflected() -> None:
    data = one_sample(np.full(20_000, 1.0), np.arange(20_000), 20_000)
    times, channels = augment(data, np.array([0]), np.array([0]), Augmentation(jitter=2.0))
    assert sorted(channels.flat) == list(range(20_000))
    noise = NormalDist(1, 2)
    folded = np.vectorize(lambda t: noise.cdf(t) - noise.cdf(-t))
    assert distance(times.flat, folded(times.flat)) < 0.0138  # p = 0.001


def test_a_share_of_spikes_is_dropped_each_by_itself() -> None:
    data = one_sample(np.arange(100.0), np.arange(100), 100)
    _, channels = augment(data, np.zeros(1000, int), np.arange(1000), Augmentation(drop=0.3))
    per_channel = np.bincount(channels.flat, minlength=100)
    assert np.abs(per_channel - 700).max() < 5 * np.sqrt(210)
    assert channels.lengths.std() == pytest.approx(np.sqrt(21), rel=0.15)
    assert augment(data, np.array([0]), np.array([0]), Augmentation(drop=1))[0].flat.size == 0


def test_blends_are_as_frequent_as_asked_and_with_any_other_of_the_class() -> None:
    # Sample i has its spikes in channel 10 i, and its partner's tell by how far they were moved.
    events = [(np.arange(40.0), np.full(40, 10 * i)) for i in range(8)]
    data = SpikeDataset.from_events(events, [0, 1, 0, 1, 0, 1, 0, 0], 80, 2)
    _, channels = augment(data, np.full(4000, 2), np.arange(4000), Augmentation(blend=0.4))
    middles = np.array([channels[draw][0] for draw in range(4000)])
    partners, counts = np.unique(2 * (middles - 20) // 10 + 2, return_counts=True)
    np.testing.assert_array_equal(partners, [0, 2, 4, 6, 7])  # 2 itself: not blended
    wanted = 4000 * np.array([0.1, 0.6, 0.1, 0.1, 0.1])
    assert np.sum((counts - wanted) ** 2 / wanted) < 18.5  # 4 degrees of freedom, p = 0.001


def test_a_blend_takes_half_of_each_around_a_common_centre() -> None:
    draw = np.random.default_rng(0)
    first = np.sort(draw.uniform(100, 200, 4000)), np.full(4000, 20)
    second = np.sort(draw.uniform(150, 350, 6000)), np.full(6000, 27)
    data = SpikeDataset.from_events([first, second], [0, 0], 50, 1)
    times, channels = augment(data, np.array([0, 1]), np.array([1, 2]), Augmentation(blend=1))
    middle = (first[0].mean() + second[0].mean()) / 2
    for one in range(2):
        assert set(channels[one]) <= {23, 24}
        assert len(times[one]) == pytest.approx(5000, abs=250)
        assert times[one].mean() == pytest.approx(middle, abs=3)
        inside = np.abs(times[one] - middle) < 50  # all of the first sample, half of the second
        assert inside.sum() == pytest.approx(2000 + 1500, abs=200)


@pytest.mark.parametrize("sample", [0, 4])
def test_a_sample_alone_or_empty_is_not_moved_by_a_blend(sample: int) -> None:
    data = spoken() if sample == 0 else spoken().subset([4, 6])
    at = 0 if sample == 0 else 1
    for seed in range(20):
        times, channels = augment(data, np.array([at]), np.array([seed]), Augmentation(blend=1))
        pairs = set(zip(times.flat, channels.flat, strict=True))
        given = set(zip(data.times[at], data.channels[at], strict=True))
        assert pairs == given if sample == 0 else pairs < given


def test_a_draw_depends_on_its_seed_and_sample_alone() -> None:
    data = spoken()
    samples, seeds = np.tile(np.arange(12), 5), np.repeat([3, -3, 2**40, 0, 1], 12)
    times, channels = augment(data, samples, seeds, ALL)
    order = np.random.default_rng(1).permutation(60)
    mixed_times, mixed_channels = augment(data, samples[order], seeds[order], ALL)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda one: augment(data, samples[[one]], seeds[[one]], ALL), range(60)))
    for place, draw in enumerate(order):
        assert mixed_times[place].tobytes() == times[draw].tobytes() == alone[draw][0].flat.tobytes()
        assert mixed_channels[place].tobytes() == channels[draw].tobytes() == alone[draw][1].flat.tobytes()


def test_seeds_and_samples_give_different_draws() -> None:
    data = one_sample(np.arange(1.0, 31.0), np.arange(30), 30, copies=50)
    samples, seeds = np.repeat(np.arange(50), 50), np.tile(np.arange(50), 50)
    times, _ = augment(data, samples, seeds, Augmentation(stretch=0.5))
    factors = times.flat.reshape(50, 50, 30)[:, :, 0]
    assert len(np.unique(factors)) == 2500
    assert np.abs(np.corrcoef(factors) - np.eye(50)).max() < 0.6
    assert np.abs(np.corrcoef(factors.T) - np.eye(50)).max() < 0.6


def test_the_data_stay_as_they_were() -> None:
    data = spoken()
    before = data.digest()
    augment(data, np.arange(12), np.arange(12), ALL)
    assert data.digest() == before


HUGE = float(np.finfo(np.float32).max)
any_time = st.floats(0, 1000, width=32) | st.floats(0, HUGE, width=32)
datasets = st.lists(st.lists(st.tuples(any_time, st.integers(0, 4)), max_size=12), min_size=1, max_size=6)
augmentations = st.builds(
    Augmentation,
    shift=st.sampled_from([0, 1, 2.5, 1e9]),
    warp=st.sampled_from([0, 0.7, 3, 1e9]),
    blend=st.floats(0, 1),
    stretch=st.floats(0, 1),
    jitter=st.sampled_from([0, 0.1, 30, 1e6]),
    drop=st.floats(0, 1),
)


@settings(max_examples=200, deadline=None)
@given(datasets, augmentations, st.integers(-(2**63), 2**63 - 1), st.data())
def test_what_is_drawn_is_legal_data(
    events: list[list[tuple[float, int]]], how: Augmentation, seed: int, draw: st.DataObject
) -> None:
    pairs = [
        (np.array([t for t, _ in one], np.float32), np.array([c for _, c in one], int)) for one in events
    ]
    labels = draw.draw(st.lists(st.integers(0, 2), min_size=len(events), max_size=len(events)))
    data = SpikeDataset.from_events(pairs, labels, 5, 3)
    samples = np.arange(len(events))
    times, channels = augment(data, samples, np.full(len(events), seed), how)
    assert len(times) == len(channels) == len(events)
    np.testing.assert_array_equal(times.offsets, channels.offsets)
    assert times.flat.dtype == data.times.flat.dtype
    assert channels.flat.dtype == np.int32
    assert np.isfinite(times.flat).all()
    assert (times.flat >= 0).all()
    assert ((channels.flat >= 0) & (channels.flat < 5)).all()
    for one in range(len(events)):
        assert (np.diff(times[one]) >= 0).all()
        if how.blend == 0:
            assert len(times[one]) <= len(events[one])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 2**63 - 1))
def test_blends_stay_within_the_class(labels: list[int], seed: int) -> None:
    # Each class has a channel of its own, so that no alignment moves a spike to another channel.
    events = [(np.arange(6.0) + sample, np.full(6, label)) for sample, label in enumerate(labels)]
    data = SpikeDataset.from_events(events, labels, 5, 5)
    samples = np.arange(len(labels))
    _, channels = augment(data, samples, np.full(len(labels), seed), Augmentation(blend=1))
    for sample, label in enumerate(labels):
        assert set(channels[sample]) <= {label}


@settings(max_examples=200, deadline=None)
@given(st.lists(any_time | st.sampled_from([0.0, 1.0, 1e-45, HUGE]), max_size=40))
def test_sort_is_stable(values: list[float]) -> None:
    times, places = np.array(values, np.float32), np.arange(len(values), dtype=np.int32)
    order = np.argsort(times, kind="stable")
    wanted = times[order]
    sort(times, places)
    np.testing.assert_array_equal(times, wanted)
    np.testing.assert_array_equal(places, order)


def test_no_draws_and_no_samples() -> None:
    none = np.empty(0, np.int64)
    for data in (spoken(), SpikeDataset.from_events([], [], 4, 2)):
        times, channels = augment(data, none, none, ALL)
        assert (len(times), len(channels), times.flat.size) == (0, 0, 0)


@pytest.mark.parametrize(
    ("samples", "seeds", "fault"),
    [
        ([0, 1], [0], r"`samples` and `seeds`: got shapes \[2\] and \[1\], expected"),
        ([[0, 1]], [[0, 1]], r"got shapes \[1, 2\] and \[1, 2\]"),
        ([0], [0.5], r"`seeds`: got .*, expected whole numbers of 64 bits"),
        ([0], [True], "`seeds`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(samples: list[int], seeds: list[Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        augment(spoken(), np.array(samples), np.array(seeds), ALL)


@pytest.mark.parametrize("sample", [12, -13, 0.0, True])
def test_samples_that_are_not_there_are_refused(sample: Any) -> None:
    with pytest.raises(IndexError, match="augment: `samples`"):
        augment(spoken(), np.array([sample]), np.array([0]), ALL)


def test_labels_that_were_overwritten_are_refused() -> None:
    data = spoken()
    data.labels[3] = 3
    with pytest.raises(ValueError, match="`data`: expected labels from 0 to 2"):
        augment(data, np.array([3]), np.array([0]), ALL)


def test_negative_samples_count_from_the_end() -> None:
    samples = np.arange(12)
    times, channels = augment(spoken(), samples, samples, ALL)
    again, others = augment(spoken(), samples - 12, samples, ALL)
    assert times.flat.tobytes() == again.flat.tobytes() and channels.flat.tobytes() == others.flat.tobytes()


@pytest.mark.parametrize("name", ["shift", "warp", "blend", "stretch", "jitter", "drop"])
@pytest.mark.parametrize("value", [-0.1, 1e10, float("nan"), "much"])
def test_what_is_not_legal_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Augmentation: `{name}`: got .*, expected a number of at least 0"):
        Augmentation(**{name: value})


def distance(values: Array, expected: Array) -> float:
    """Kolmogorov-Smirnov distance of sorted values from a distribution, given its function there."""
    place = np.arange(len(values) + 1) / len(values)
    return float(np.maximum(np.abs(expected - place[:-1]), np.abs(expected - place[1:])).max())
