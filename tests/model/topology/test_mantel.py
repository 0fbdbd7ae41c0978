import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from model.arrays import Floats
from model.topology.mantel import correlations, mantel, radius_rank


def naive_unlike(features: Floats) -> Floats:
    """1 - Pearson correlation of every pair of standardised rows, less the average one, by numpy alone."""
    scores = np.array([(row - row.mean()) / row.std() for row in features])
    apart = [row - scores.mean(0) for row in scores]
    return np.asarray(1 - np.corrcoef(apart))


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 20), st.integers(3, 9), st.integers(1, 3), st.integers(0, 1000))
def test_it_is_the_rank_correlation_of_pairs(size: int, features: int, dimensions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    profile, positions = rng.normal(size=(size, features)), rng.random((size, dimensions))
    unlike = naive_unlike(profile)
    pairs = list(itertools.combinations(range(size), 2))
    distances = [math.dist(positions[i], positions[j]) for i, j in pairs]
    expected = stats.spearmanr(distances, [unlike[i, j] for i, j in pairs]).statistic
    found = mantel(profile, positions)
    assert found is not None
    assert found.value == pytest.approx(expected, abs=1e-9)


def test_nulls_are_what_swapping_rows_gives() -> None:
    rng = np.random.default_rng(0)
    profile, positions = rng.normal(size=(9, 5)), rng.random((9, 2))
    found = mantel(profile, positions)
    assert found is not None
    orders = np.array([rng.permutation(9) for _ in range(4)])
    expected = [mantel(profile[order], positions) for order in orders]
    assert found.swapped(orders) == pytest.approx([one.value for one in expected if one is not None])


def test_features_that_move_with_place_come_near_1() -> None:
    place = np.linspace(0, 0.4, 9)[:, None]
    features = np.exp(-((np.linspace(-1, 2, 12) - place) ** 2))
    found = mantel(features, place)
    assert found is not None and found.value > 0.8


@pytest.mark.parametrize(
    ("features", "positions"),
    [
        (np.ones((5, 4)), np.random.default_rng(0).random((5, 2))),  # all alike
        (np.random.default_rng(0).random((5, 4)), np.ones((5, 2))),  # all in one place
        (np.full((5, 4), np.nan), np.random.default_rng(0).random((5, 2))),
        (np.zeros((5, 0)), np.random.default_rng(0).random((5, 2))),
        (np.random.default_rng(0).random((2, 4)), np.random.default_rng(0).random((2, 2))),
    ],
)
def test_where_pairs_are_all_alike_there_is_none(features: Any, positions: Any) -> None:
    assert mantel(features, positions) is None


def test_silent_neurons_and_those_like_the_average_are_left_out() -> None:
    features = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3], [np.nan] * 3])
    alike, known = correlations(features)
    assert known.tolist() == [True, True, True, False, False]
    assert alike == pytest.approx(np.full((3, 3), -0.5) + 1.5 * np.eye(3))


def test_no_neuron_counts_more_than_another() -> None:
    """With one far stronger than all others in the average, these would be alike."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, 30)) * np.logspace(0, 4, 20)[:, None] + rng.normal(size=(20, 1))
    alike, known = correlations(features)
    assert known.all()
    assert (alike.sum() - 20) / (20 * 19) == pytest.approx(-1 / 19, abs=0.005)


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 20), st.integers(0, 1000))
def test_radius_rank_is_spearmans(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, positions = rng.integers(0, 6, size).astype(float), rng.normal(size=(size + 1, 2))
    away = [math.dist(x, positions.mean(0)) for x in positions]
    found = radius_rank(np.append(values, np.nan), positions)
    if len(set(values)) == 1:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(away[:-1], values).statistic, abs=1e-9)
    order = rng.permutation(size)
    expected = stats.spearmanr(away[:-1], values[order]).statistic
    assert found.swapped(order[None]) == pytest.approx([expected], abs=1e-9)
