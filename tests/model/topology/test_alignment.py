import math

import numpy as np
import pytest
from digraphs import cliques, complete
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score

from model.arrays import Floats, Ints
from model.topology.alignment import (
    adjusted_mutual_information,
    module_class_ami,
    module_space_ami,
    space_class_ami,
)
from model.topology.network import Network


def network(w_rec: Floats) -> Network:
    return Network.of(w_rec, np.zeros_like(w_rec))


def blobs(number: int, size: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.repeat(10 * np.arange(number), size)[:, None] + rng.random((number * size, 2))


def test_modules_that_are_blobs_of_one_class_are_1() -> None:
    modules, places, classes = network(cliques(3, 6)), blobs(3, 6), np.repeat([4, 0, 2], 6)
    assert module_space_ami(modules, places) == pytest.approx(1, abs=1e-12)
    assert module_class_ami(modules, classes) == pytest.approx(1, abs=1e-12)
    assert space_class_ami(modules, places, classes) == pytest.approx(1, abs=1e-12)


def test_places_and_classes_across_the_modules_are_about_0() -> None:
    rng = np.random.default_rng(0)
    modules, places = network(cliques(4, 20)), rng.random((80, 2))
    assert abs(module_space_ami(modules, places)) < 0.1
    assert abs(module_class_ami(modules, np.tile(np.arange(4), 20))) < 0.1
    assert abs(space_class_ami(modules, places, rng.integers(4, size=80))) < 0.1


def test_the_mean_over_random_groups_is_0() -> None:
    """What "adjusted" means: (I - E I) / (mean entropy - E I), E over random orders."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(3, size=40), rng.integers(4, size=40)
    orders = [rng.permutation(second) for _ in range(500)]
    assert np.mean([adjusted_mutual_information(first, one) for one in orders]) == pytest.approx(0, abs=0.01)
    chance = np.mean([mutual_info_score(first, one) for one in orders])
    entropy = (mutual_info_score(first, first) + mutual_info_score(second, second)) / 2
    expected = (mutual_info_score(first, second) - chance) / (entropy - chance)
    assert adjusted_mutual_information(first, second) == pytest.approx(expected, abs=0.01)


def test_spatial_clusters_are_ward_s() -> None:
    modules, places = network(cliques(3, 10)), np.random.default_rng(0).random((30, 2))
    clusters = AgglomerativeClustering(n_clusters=3, linkage="ward").fit_predict(places)
    expected = adjusted_mutual_info_score(modules.partition.members, clusters)
    assert module_space_ami(modules, places) == pytest.approx(expected, abs=1e-12)


def test_silent_neurons_and_those_without_synapses_are_left_out() -> None:
    w_rec = np.zeros((14, 14))
    w_rec[:12, :12] = cliques(3, 4)
    places = np.concatenate([blobs(3, 4), np.zeros((2, 2))])
    classes: Ints = np.concatenate([np.repeat([0, 1, 2], 4), [0, 1]])
    classes[[1, 5]] = -1
    assert module_space_ami(network(w_rec), places) == pytest.approx(1, abs=1e-12)
    assert module_class_ami(network(w_rec), classes) == pytest.approx(1, abs=1e-12)
    assert space_class_ami(network(w_rec), places, classes) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("w_rec", "places", "classes"),
    [
        (np.zeros((6, 6)), blobs(2, 3), np.arange(6) % 2),  # no synapse
        (complete(6), np.zeros((6, 2)), np.full(6, -1)),  # one place, all silent
        (complete(6), blobs(2, 3), np.zeros(6, int)),  # one module, one class
        (np.zeros((1, 1)), np.zeros((1, 2)), np.zeros(1, int)),
        (np.zeros((0, 0)), np.zeros((0, 2)), np.zeros(0, int)),
        (complete(2), blobs(2, 1), np.arange(2)),
    ],
)
def test_single_groups_have_no_value(w_rec: Floats, places: Floats, classes: Ints) -> None:
    one = network(w_rec)
    assert math.isnan(module_space_ami(one, places))
    assert math.isnan(module_class_ami(one, classes))
    assert math.isnan(space_class_ami(one, places, classes))
