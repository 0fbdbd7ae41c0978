import hashlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets import DataError, SpikeDataset

spike = st.tuples(st.floats(0, 1e4, width=32), st.integers(0, 6))
samples = st.lists(st.lists(spike, max_size=6), max_size=6)


def dataset(**changes: Any) -> SpikeDataset:
    given: dict[str, Any] = {
        "events": [([2.0, 1.0, 1.5], [0, 1, 2]), ([], []), ([4.0], [6])],
        "labels": [1, 0, 2],
        "n_channels": 7,
        "n_classes": 3,
        "groups": [5, 5, 9],
    }
    return SpikeDataset.from_events(**(given | changes))


@settings(deadline=None)
@given(samples)
def test_every_sample_is_sorted_by_time_and_keeps_its_pairs(rows: list[list[tuple[float, int]]]) -> None:
    events = [([time for time, _ in row], [channel for _, channel in row]) for row in rows]
    data = SpikeDataset.from_events(events, [0] * len(rows), 7, 1)
    stored = [
        list(zip(data.times[i].tolist(), data.channels[i].tolist(), strict=True)) for i in range(len(rows))
    ]
    assert stored == [sorted(row, key=lambda pair: pair[0]) for row in rows]  # `sorted` is stable
    assert data.latest == max((time for row in rows for time, _ in row), default=0.0)


def test_a_later_sample_may_begin_before_an_earlier_one_ends() -> None:
    data = SpikeDataset.from_events([([5.0, 9.0], [0, 1]), ([1.0, 1.0], [3, 2])], [0, 0], 4, 1)
    assert data.channels.flat.tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64), (np.int64, np.float64)],
)
def test_float64_times_are_kept_only_where_given(given_as: Any, kept_as: Any) -> None:
    events: list[Any] = [(np.array([1, 2], dtype=given_as), [0, 1]), ([], [])]
    data = SpikeDataset.from_events(events, [0, 0], 2, 1)
    assert data.times.flat.dtype == kept_as
    assert data.times[0].tolist() == [1.0, 2.0]
    assert data.channels.flat.dtype == np.int32
    assert data.labels.dtype == np.int64


def test_given_arrays_are_not_changed() -> None:
    times, channels = np.array([2.0, 1.0]), np.array([0, 1], dtype=np.int32)
    data = SpikeDataset.from_events([(times, channels)], [0], 2, 1)
    data.times.flat[:] = 0
    assert (times.tolist(), channels.tolist()) == ([2.0, 1.0], [0, 1])


def test_no_samples_are_legal() -> None:
    data = SpikeDataset.from_events([], [], 3, 2)
    assert (len(data), data.latest, data.n_channels, len(data.subset([]))) == (0, 0.0, 3, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": [([1.0], [0]), ([], []), ([-0.5], [0])]}, r"sample 2: time -0\.5 ms is below 0"),
        ({"events": [([], []), ([], []), ([1.0, np.nan], [0, 0])]}, "sample 2: time nan is not finite"),
        ({"events": [([np.inf], [0]), ([], []), ([], [])]}, "sample 0: time inf is not finite"),
        (
            {"events": [([1.0], [0]), ([1.0], [7]), ([], [])]},
            "sample 1: channel 7 is out of range, expected 0 to 6",
        ),
        ({"events": [([1.0], [-1]), ([], []), ([], [])]}, "sample 0: channel -1 is out of range"),
        ({"events": [([1.0], [2**32]), ([], []), ([], [])]}, "sample 0: channel 4294967296 is out of range"),
        ({"events": [([1.0, 2.0], [0]), ([], []), ([], [])]}, "sample 0: 2 times and 1 channels"),
        ({"events": [([1.0], [0.5]), ([], []), ([], [])]}, "sample 0: channels are 1-D of type float64"),
        ({"events": [(["a"], [0]), ([], []), ([], [])]}, "sample 0: times are 1-D of type"),
        ({"events": [([[1.0]], [[0]]), ([], []), ([], [])]}, "sample 0: times are 2-D"),
        ({"events": [([1.0],), ([], []), ([], [])]}, "sample 0: expected a pair"),
        ({"events": [3, ([], []), ([], [])]}, "sample 0: expected a pair"),
        ({"labels": [0, 1, 3]}, "sample 2: label 3 is out of range, expected 0 to 2"),
        ({"labels": [-1, 1, 2]}, "sample 0: label -1"),
        ({"labels": [0, 1]}, r"`labels`: got shape \(2,\) .* expected 3 whole numbers"),
        ({"labels": [0.0, 1.0, 2.0]}, "`labels`: .* type float64"),
        ({"groups": [0, 1]}, "`groups`"),
        ({"n_channels": 0}, "`n_channels`: got 0, expected 1 to"),
        ({"n_classes": 0}, "`n_classes`: got 0, expected 1 to"),
    ],
)
def test_what_is_not_legal_is_refused_by_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        dataset(**changes)


@pytest.mark.parametrize(
    ("indices", "rows"),
    [
        ([2, 0], [2, 0]),
        ([-1], [2]),
        ([1, 1], [1, 1]),
        ([], []),
        (slice(1, None), [1, 2]),
        ([True, False, True], [0, 2]),
    ],
)
def test_subset_takes_the_named_samples_in_order(indices: Any, rows: list[int]) -> None:
    data = dataset()
    part = data.subset(indices)
    assert [part.times[i].tolist() for i in range(len(part))] == [data.times[i].tolist() for i in rows]
    assert [part.channels[i].tolist() for i in range(len(part))] == [data.channels[i].tolist() for i in rows]
    assert part.groups is not None and data.groups is not None
    assert part.labels.tolist() == data.labels[rows].tolist()
    assert part.groups.tolist() == data.groups[rows].tolist()
    assert (part.n_channels, part.n_classes) == (7, 3)
    assert part.channels.offsets is part.times.offsets


def test_subset_beyond_the_end_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        dataset().subset([3])


def test_digest_is_of_the_content() -> None:
    assert dataset().digest() == dataset().subset([0, 1, 2]).digest()
    others = [
        dataset(events=[([2.0, 1.0, 1.5], [0, 1, 3]), ([], []), ([4.0], [6])]),
        dataset(events=[([2.0, 1.0, 1.5], [0, 1, 2]), ([4.0], [6]), ([], [])]),
        dataset(events=[([2.0, 1.0, 1.25], [0, 1, 2]), ([], []), ([4.0], [6])]),
        dataset(labels=[0, 0, 2]),
        dataset(groups=[5, 5, 8]),
        dataset(groups=None),
        dataset(n_channels=8),
        dataset(n_classes=4),
    ]
    assert len({data.digest() for data in [dataset(), *others]}) == 9


def test_digest_does_not_drift() -> None:
    """Records name their data by digest, so its bytes are spelled out here."""
    data = SpikeDataset.from_events([(np.array([1.0], dtype=np.float32), [2])], [0], 3, 1)
    content = b"3 1" + b" <f4 1 " + struct.pack("<f", 1) + b" <i4 1 " + struct.pack("<i", 2)
    content += b" <i8 2 " + struct.pack("<qq", 0, 1) + b" <i8 1 " + struct.pack("<q", 0)
    assert data.digest() == hashlib.sha256(content).hexdigest()
