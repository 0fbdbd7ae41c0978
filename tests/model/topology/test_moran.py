import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import Floats
from model.topology import morans_i
from model.topology.moran import NEIGHBOURS


def naive(values: Floats, positions: Floats) -> float:
    n = len(values)
    z = [float(v - np.mean(values)) for v in values]
    total = 0.0
    for i in range(n):
        apart = {j: math.dist(positions[i], positions[j]) for j in range(n) if j != i}
        reach = sorted(apart.values())[min(NEIGHBOURS, n - 1) - 1]
        near = [j for j in apart if apart[j] <= reach + 1e-12]
        total += z[i] * sum(z[j] for j in near) / len(near)
    return total / sum(one * one for one in z)


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 40), st.integers(1, 4), st.integers(0, 1000))
def test_agrees_with_its_definition(size: int, dimensions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, positions = rng.random(size), rng.random((size, dimensions))
    found = morans_i(values, positions)
    assert found == pytest.approx(naive(values, positions), abs=1e-10)
    assert morans_i(-2 * values + 3, positions - 5) == pytest.approx(found, abs=1e-9)


def test_two_clusters_apart_are_1_and_alternating_neurons_below_0() -> None:
    values = np.repeat([0.0, 1.0], 20)
    places = np.concatenate([np.arange(20), 1000 + np.arange(20)])[:, None]
    assert morans_i(values, places) == pytest.approx(1, abs=1e-12)
    line = np.arange(200.0)[:, None]
    assert morans_i(np.arange(200.0) % 2, line) == pytest.approx(0, abs=0.01)  # 4 neighbours alike, 4 not
    assert morans_i(np.sin(np.arange(200) / 20), line) > 0.9


def test_where_all_are_neighbours_it_is_what_chance_expects() -> None:
    values = np.random.default_rng(0).random(6)
    assert morans_i(values, np.eye(6)) == pytest.approx(-1 / 5, abs=1e-12)
    assert morans_i(values, np.ones((6, 2))) == pytest.approx(-1 / 5, abs=1e-12)


def test_its_mean_over_random_places_is_minus_one_over_n_minus_one() -> None:
    rng = np.random.default_rng(0)
    positions = rng.random((30, 2))
    found = [morans_i(rng.random(30), positions) for _ in range(500)]
    assert np.mean(found) == pytest.approx(-1 / 29, abs=3 * float(np.std(found)) / math.sqrt(500))


def test_unknown_values_are_left_out() -> None:
    rng = np.random.default_rng(0)
    values, positions = rng.random(20), rng.random((20, 3))
    values[[2, 7]] = np.nan
    known = ~np.isnan(values)
    assert morans_i(values, positions) == morans_i(values[known], positions[known])


@pytest.mark.parametrize(
    "values", [[], [1.0], [1.0, 2.0], [0.1, 0.1, 0.1, 0.1], [np.nan] * 5, [np.nan, np.nan, 1.0, 2.0]]
)
def test_few_or_equal_values_have_none(values: list[float]) -> None:
    assert math.isnan(morans_i(np.array(values), np.zeros((len(values), 2))))
