import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from model.topology import delay_histogram
from model.topology.network import Network
from model.topology.wiring import wiring_efficiency

Floats = NDArray[np.float64]
# Multiples of 1/8, so that sums are exact and ties are ties.
eighths = st.integers(0, 80).map(lambda n: n / 8)


def efficiency(w_rec: Any, distances: Any, mask: Any = None) -> float:
    return wiring_efficiency(Network.of(w_rec, distances, mask))


def square(size: int) -> st.SearchStrategy[Floats]:
    return arrays(np.float64, (size, size), elements=eighths)


@settings(deadline=None)
@given(square(3), square(3), st.data())
def test_agrees_with_trying_all_orders_of_the_weights(
    w_rec: Floats, distances: Floats, data: st.DataObject
) -> None:
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=9, max_size=9))).reshape(3, 3)
    exists = mask & ~np.eye(3, dtype=bool)
    weights, lengths = w_rec[exists], distances[exists]
    lengths_of_wire = [float(np.dot(order, lengths)) for order in itertools.permutations(weights)]
    least, most = min(lengths_of_wire), max(lengths_of_wire)
    value = efficiency(w_rec, distances, mask)
    if least == most:
        assert math.isnan(value)
    else:
        assert value == pytest.approx(1 - (float(weights @ lengths) - least) / (most - least), abs=1e-12)


def test_the_ends_of_the_range() -> None:
    x = np.random.default_rng(0).random((6, 2))
    distances = np.linalg.norm(x[:, None] - x, axis=-1)
    assert efficiency(-np.exp(-distances), distances) == pytest.approx(1, abs=1e-12)
    assert efficiency(distances, distances) == pytest.approx(0, abs=1e-12)


@settings(deadline=None)
@given(square(5), square(5), st.permutations(range(5)), st.sampled_from([-1.0, 0.5, 1e-9]))
def test_names_signs_and_scales_do_not_matter(
    w_rec: Floats, distances: Floats, order: list[int], factor: float
) -> None:
    value = efficiency(w_rec, distances)
    renamed = np.ix_(order, order)
    assert efficiency(w_rec[renamed], distances[renamed]) == pytest.approx(value, abs=1e-12, nan_ok=True)
    assert efficiency(factor * w_rec, 3 * distances) == pytest.approx(value, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("w_rec", "distances"),
    [
        (np.zeros((0, 0)), np.zeros((0, 0))),
        (np.ones((1, 1)), np.zeros((1, 1))),
        (np.zeros((3, 3)), np.arange(9.0).reshape(3, 3)),  # no weight
        (np.ones((3, 3)), np.arange(9.0).reshape(3, 3)),  # equal weights
        (np.arange(9.0).reshape(3, 3), np.ones((3, 3))),  # equal distances
        (
            np.arange(9.0).reshape(3, 3),
            0.1 + np.random.default_rng(0).uniform(0, 1e-16, (3, 3)),
        ),  # up to rounding
    ],
)
def test_what_cannot_be_told_apart_is_nan(w_rec: Floats, distances: Floats) -> None:
    assert math.isnan(efficiency(w_rec, distances))


def test_without_synapses_it_is_nan() -> None:
    assert math.isnan(efficiency(np.ones((3, 3)), np.arange(9.0).reshape(3, 3), np.zeros((3, 3), dtype=bool)))


@settings(deadline=None)
@given(square(4), square(4), st.integers(1, 6))
def test_a_histogram_of_delays_sums_the_weights_between_its_borders(
    w_rec: Floats, delays: Floats, bins: int
) -> None:
    amounts, borders = delay_histogram(-w_rec, delays, bins)
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    assert amounts.sum() == pytest.approx(sum(w_rec[pair] for pair in pairs))
    found = [min(float(delays[pair]) for pair in pairs), max(float(delays[pair]) for pair in pairs)]
    assert borders[0] <= found[0] and found[1] <= borders[-1]
    given, _ = delay_histogram(-w_rec, delays, [0, 2.5, 5, 10])
    expected = [
        sum(w_rec[pair] for pair in pairs if low <= delays[pair] < high or delays[pair] == high == 10)
        for low, high in itertools.pairwise([0, 2.5, 5, 10])
    ]
    assert given.tolist() == expected


def test_a_histogram_of_no_synapses_is_empty() -> None:
    amounts, borders = delay_histogram(np.ones((3, 3)), np.ones((3, 3)), 4, np.zeros((3, 3)))
    assert amounts.tolist() == [0, 0, 0, 0]
    assert len(borders) == 5
    assert delay_histogram(np.zeros((0, 0)), np.zeros((0, 0)))[0].sum() == 0
