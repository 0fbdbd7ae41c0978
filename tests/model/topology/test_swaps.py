import math

import numpy as np
import pytest

from model.topology.moran import moran, morans_i
from model.topology.swaps import SHELL, Match, Swaps, radius, shells_of


def test_a_match_is_a_sum_over_pairs() -> None:
    rng = np.random.default_rng(0)
    places, neurons = rng.random((4, 4)), rng.random((4, 4))
    match = Match(places, neurons, np.ones(4, bool))
    order = [2, 0, 3, 1]
    expected = sum(places[i, j] * neurons[order[i], order[j]] for i in range(4) for j in range(4))
    assert match.swapped(np.array([order])) == pytest.approx([expected])
    assert match.swapped(np.arange(4)[None]) == pytest.approx([match.value])
    assert Match(places, neurons, match.known, root=True).value == pytest.approx(math.sqrt(match.value))
    assert Match(np.eye(2), -np.eye(2), match.known[:2], root=True).value == 0  # rounding may fall below 0


def test_swapping_is_measuring_swapped_values() -> None:
    rng = np.random.default_rng(0)
    values, positions = rng.random(12), rng.random((12, 2))
    values[5] = np.nan
    match = moran(values, positions)
    assert match is not None
    swaps = Swaps(np.zeros(12, int), 6, rng).among(match.known)
    known, places = values[match.known], positions[match.known]
    assert match.swapped(swaps) == pytest.approx([morans_i(known[order], places) for order in swaps])


def test_every_order_is_as_likely() -> None:
    orders = Swaps(np.zeros(3, int), 6000, np.random.default_rng(0)).among(np.ones(3, bool))
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert counts.min() > 850 and counts.max() < 1150


def test_within_shells_neurons_keep_their_radius_but_for_a_shell() -> None:
    positions = np.random.default_rng(0).normal(size=(50, 2))
    shells, away = shells_of(positions), radius(positions)
    assert np.bincount(shells).tolist() == [SHELL] * 6 + [2]
    assert all(away[shells == n].max() <= away[shells == n + 1].min() for n in range(6))
    known = np.ones(50, bool)
    known[[3, 17]] = False
    orders = Swaps(shells, 20, np.random.default_rng(1)).among(known)
    own = shells[known]
    assert (own[orders] == own).all()
    assert (np.sort(orders) == np.arange(48)).all()
    assert (orders != np.arange(48)).any(1).all()


def test_the_radius_is_from_the_mean() -> None:
    assert radius(np.array([[0.0, 0], [6, 8]])).tolist() == [5, 5]
