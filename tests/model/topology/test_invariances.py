"""What no measure may depend on: the names of neurons, where space begins and turns, the unit of weights."""

import math
from typing import Any

import numpy as np
import pytest
from digraphs import distances_between
from hypothesis import given, settings
from hypothesis import strategies as st

from model.topology import MEASURES, measures

networks = st.tuples(st.integers(2, 4), st.integers(1, 3), st.floats(0.5, 1), st.integers(0, 10_000))


def modular(modules: int, dimensions: int, density: float, seed: int) -> dict[str, Any]:
    """A network of blobs in space, each a module, so that no search for communities can miss them."""
    rng = np.random.default_rng(seed)
    module = np.repeat(np.arange(modules), 6)
    n = len(module)
    positions = rng.normal(size=(n, dimensions))
    positions[:, 0] += 20 * module
    w_rec = rng.normal(size=(n, n)) * (rng.random((n, n)) < density)
    w_rec *= np.where(np.equal.outer(module, module), 1, 1e-3)
    labels = rng.integers(3, size=24)
    return {
        "w_rec": w_rec,
        "distances": distances_between(positions),
        "positions": positions,
        "w_in": rng.normal(size=(5, dimensions)) @ positions.T + rng.normal(size=(5, n)),
        "spikes": rng.poisson(1 + 3 * np.equal.outer(labels, rng.integers(3, size=n))),
        "labels": labels,
        "mask": rng.random((n, n)) < 0.9,
        "fields": rng.random((n, 5)),
        "times": rng.random(n),
    }


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    for name in MEASURES:
        assert found[name] == pytest.approx(expected[name], abs=1e-7, nan_ok=True), name


@settings(deadline=None, max_examples=25)
@given(networks, st.randoms(use_true_random=False))
def test_names_of_neurons_do_not_matter(network: tuple[int, int, float, int], random: Any) -> None:
    given = modular(*network)
    order = list(range(len(given["w_rec"])))
    random.shuffle(order)
    renamed = given | {name: given[name][np.ix_(order, order)] for name in ("w_rec", "distances", "mask")}
    renamed |= {name: given[name][order] for name in ("positions", "fields", "times")}
    renamed |= {name: given[name][:, order] for name in ("w_in", "spikes")}
    assert_same(measures(**renamed, nulls=0), measures(**given, nulls=0))


@settings(deadline=None, max_examples=25)
@given(networks, st.floats(-100, 100), st.integers(0, 1000))
def test_turning_moving_and_scaling_space_does_not_matter(
    network: tuple[int, int, float, int], shift: float, seed: int
) -> None:
    given = modular(*network)
    dimensions = given["positions"].shape[1]
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(dimensions, dimensions)))[0]
    positions = 0.3 * given["positions"] @ turn + shift
    moved = given | {"positions": positions, "distances": distances_between(positions)}
    assert_same(measures(**moved, nulls=0), measures(**given, nulls=0))


@settings(deadline=None, max_examples=25)
@given(networks, st.sampled_from([1e-6, 0.5, 1e6]), st.integers(0, 1000))
def test_signs_and_scale_of_recurrent_weights_do_not_matter(
    network: tuple[int, int, float, int], scale: float, seed: int
) -> None:
    given = modular(*network)
    signs = np.random.default_rng(seed).choice([-1, 1], given["w_rec"].shape)
    scaled = given | {"w_rec": scale * signs * given["w_rec"]}
    found, expected = measures(**scaled, nulls=0), measures(**given, nulls=0)
    found["inhibition_reach"] = expected["inhibition_reach"]  # which is about signs
    assert_same(found, expected)


def test_these_networks_have_values_to_compare() -> None:
    found = measures(**modular(3, 2, 1.0, 0), nulls=0)
    assert not any(math.isnan(value) for value in found.values())
