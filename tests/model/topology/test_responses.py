import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.datasets import SpikeDataset
from model.topology import preferred_time
from model.topology.responses import Responses, selectivity


def responses(counts: Any, labels: Any) -> Responses:
    return Responses.of(counts, labels, np.asarray(counts).shape[1])


def test_preferences_and_selectivity_follow_their_definitions() -> None:
    #       neuron 0: class 5 alone; 1: all alike; 2: silent; 3: means 1 and 3 and 2
    counts = [[4, 1, 0, 1], [0, 1, 0, 2], [0, 1, 0, 4], [0, 1, 0, 2]]
    found = responses(counts, [5, 7, 7, 9])
    assert found.class_counts[3].tolist() == [1, 3, 2]
    assert found.preferred_class.tolist() == [5, 5, -1, 7]
    assert found.selectivity[:2].tolist() == [1, 0]
    assert math.isnan(found.selectivity[2])
    assert found.selectivity[3] == pytest.approx((3 - 1.5) / (3 + 1.5))
    assert selectivity(found) == pytest.approx((1 + 0 + 1 / 3) / 3)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(1, 8), st.integers(2, 5), st.integers(0, 1000))
def test_selectivity_is_that_of_loops(samples: int, size: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, labels = rng.poisson(0.7, (samples, size)), rng.integers(classes, size=samples)
    expected = []
    for neuron in range(size):
        means = sorted(counts[labels == one, neuron].mean() for one in np.unique(labels))
        if len(means) > 1 and means[-1] > 0:
            rest = np.mean(means[:-1])
            expected.append((means[-1] - rest) / (means[-1] + rest))
    value = selectivity(responses(counts, labels))
    assert value == pytest.approx(np.mean(expected), abs=1e-12) if expected else math.isnan(value)


@pytest.mark.parametrize(
    ("counts", "labels"),
    [
        (np.zeros((4, 3)), [0, 1, 0, 1]),  # all silent
        (np.ones((4, 3)), [2, 2, 2, 2]),  # one class
        (np.zeros((0, 3)), np.zeros(0, int)),  # no samples
        (np.zeros((4, 0)), [0, 1, 0, 1]),  # no neurons
    ],
)
def test_without_anything_to_tell_apart_it_is_nan(counts: Any, labels: Any) -> None:
    found = responses(counts, labels)
    assert math.isnan(selectivity(found))
    assert len(found.preferred_class) == len(found.selectivity) == counts.shape[1]


@pytest.mark.parametrize(
    ("counts", "labels", "message"),
    [
        (np.zeros((4, 3)), [0, 1, 0, 1], r"`spikes` has the shape \(4, 3\), expected \[S, 2\]"),
        (np.zeros(4), [0, 1, 0, 1], r"`spikes` has the shape \(4,\)"),
        (np.zeros((4, 2)), [0, 1], r"`labels` has the shape \(2,\), expected \[4\]"),
        (-np.ones((2, 2)), [0, 1], "`spikes` holds a value that is no count"),
        (np.full((2, 2), np.nan), [0, 1], "`spikes` holds a value that is no count"),
        (np.zeros((2, 2)), [0.0, 1.0], "`labels` holds what is no class"),
        (np.zeros((2, 2)), [-1, 1], "`labels` holds what is no class"),
    ],
)
def test_what_is_no_response_is_refused(counts: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Responses.of(counts, labels, 2)


def data(events: list[tuple[list[float], list[int]]], channels: int) -> SpikeDataset:
    return SpikeDataset.from_events(events, [0] * len(events), channels, 1)


def test_preferred_time_is_the_mean_over_all_samples() -> None:
    hidden = data([([1.0, 4.0], [0, 2]), ([], []), ([2.0, 8.0], [0, 2])], 3)
    assert preferred_time(hidden) == pytest.approx([1.5, np.nan, 6.0], nan_ok=True)


def test_profiles_are_counts_over_the_mean_of_a_neuron() -> None:
    found = responses([[4, 0, 2], [0, 0, 2], [2, 0, 4], [0, 0, 0]], [1, 1, 0, 0])
    assert found.rate.tolist() == [1.5, 0, 2]
    assert found.sample_profile[0] == pytest.approx([4 / 1.5, 0, 2 / 1.5, 0])
    assert found.class_profile[2].tolist() == [1, 1]
    assert found.class_profile[0] == pytest.approx([1 / 1.5, 2 / 1.5])
    assert np.isnan(found.sample_profile[1]).all() and np.isnan(found.class_profile[1]).all()
