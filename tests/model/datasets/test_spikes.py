import copy
import hashlib
import pickle
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets import DataError, Ragged, SpikeDataset

spike = st.tuples(st.floats(0, 1e4, width=32), st.integers(0, 6))
OFFSETS = np.array([0, 3, 3, 4])
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
    assert not np.shares_memory(data.times.flat, times) and not np.shares_memory(data.channels.flat, channels)
    assert (times.tolist(), channels.tolist()) == ([2.0, 1.0], [0, 1])
    assert times.flags.writeable and channels.flags.writeable


def test_spikes_cannot_be_written_to_nor_can_those_of_copies() -> None:
    """The kernels rely on what was checked when it was made."""
    for data in (dataset(), pickle.loads(pickle.dumps(dataset())), copy.deepcopy(dataset())):
        assert data.digest() == dataset().digest()
        arrays = (data.times.flat, data.times.offsets, data.channels.flat)
        assert not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"n_channels": 6}, "sample 2: channel 6 is out of range, expected 0 to 5"),
        ({"n_classes": 2}, "sample 2: label 2 is out of range"),
        ({"n_channels": 2.0}, "`n_channels`: got 2.0, expected a whole number"),
        ({"times": Ragged(np.array([2.0, 1.0, 1.5, 4.0]), OFFSETS)}, "times do not ascend"),
        ({"times": Ragged(np.array([1.0, np.nan, 2.0, 4.0]), OFFSETS)}, "sample 0: time nan is not finite"),
        ({"times": Ragged(np.array([-1.0, 1.0, 2.0, 4.0]), OFFSETS)}, "sample 0: time -1.0 ms is below 0"),
        ({"times": Ragged(np.array([1.0, 1.0, 2.0, np.inf]), OFFSETS)}, "sample 2: time inf is not finite"),
        ({"times": Ragged(np.arange(4), OFFSETS)}, "`times`: expected a Ragged of float32 or float64"),
        ({"channels": Ragged(np.arange(4), OFFSETS)}, "`channels`: expected a Ragged of int32"),
        ({"channels": np.arange(4)}, "`channels`: expected a Ragged"),
        (
            {"channels": Ragged(np.zeros(4, np.int32), np.array([0, 1, 3, 4]))},
            "`times` and `channels` have other offsets",
        ),
        ({"labels": np.array([0, 1])}, r"`labels`: got shape \[2\], expected \[3\]"),
        ({"labels": np.array([0.0, 1.0, 2.0])}, "`labels`: expected an array of whole numbers"),
        ({"groups": [0, 1, 2]}, "`groups`: expected an array of whole numbers"),
    ],
)
def test_a_data_set_made_by_hand_is_checked_as_well(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        replace(dataset(), **changes)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"lengths": [2, 2, 1]}, "`times`: got shape .4. .* expected 5 numbers"),
        ({"lengths": [5, -1, 0]}, "`lengths`: got .*, expected whole numbers of at least 0"),
        ({"lengths": [3.0, 0.0, 1.0]}, "`lengths`"),
        ({"channels": [0.5, 1.5, 2.0, 6.0]}, "`channels`: .* float64, expected 4 whole numbers"),
        ({"times": ["a", "b", "c", "d"]}, "`times`"),
        ({"labels": [[0], [1, 2]]}, "`labels`: got .*, expected a list or an array of numbers"),
    ],
)
def test_flat_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], fault: str) -> None:
    given: dict[str, Any] = {
        "times": np.array([1.0, 1.5, 2.0, 4.0]),
        "channels": [0, 1, 2, 6],
        "lengths": [3, 0, 1],
        "labels": [1, 0, 2],
        "n_channels": 7,
        "n_classes": 3,
    }
    with pytest.raises(DataError, match=fault):
        SpikeDataset.from_flat(**(given | changes))


def test_flat_arrays_may_be_those_of_another_data_set() -> None:
    data = dataset()
    again = SpikeDataset.from_flat(data.times.flat, data.channels.flat, np.array([1, 3, 0]), [0, 0, 0], 7, 3)
    assert again.times[1].tolist() == sorted(data.times.flat[1:].tolist())
    assert data.digest() == dataset().digest()


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
        ({"n_channels": 0}, "`n_channels`: got 0, expected a whole number from 1 to"),
        ({"n_classes": 0}, "`n_classes`: got 0, expected a whole number from 1 to"),
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


@pytest.mark.parametrize(
    "indices",
    [[3], -4, [1.0], 0.5, "1", None, True, [True, False], [0, True], [[0, 1]], [[0], [1, 2]], 2**70],
)
def test_subset_takes_nothing_else_for_an_index(indices: Any) -> None:
    with pytest.raises(IndexError, match=r"SpikeDataset\.subset"):
        dataset().subset(indices)


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
