import math

import bct
import networkx as nx
import numpy as np
import pytest
from digraphs import complete, cycle, random_digraph, ring, star
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import Floats
from model.topology.clustering import clustering
from model.topology.network import Network


def value(w_rec: Floats, mask: Floats | None = None) -> float:
    return clustering(Network.of(w_rec, np.zeros_like(w_rec), mask))


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 25), st.floats(0.1, 1), st.integers(0, 1000))
def test_agrees_with_the_brain_connectivity_toolbox_and_networkx(
    size: int, density: float, seed: int
) -> None:
    w_rec = random_digraph(size, density, seed)
    found = value(w_rec)
    if math.isnan(found):
        assert nx.to_undirected(nx.from_numpy_array(w_rec != 0, create_using=nx.DiGraph)).size() <= size / 2
        return
    strengths = np.abs(w_rec) / np.abs(w_rec).max()
    assert found == pytest.approx(bct.clustering_coef_wd(strengths).mean(), abs=1e-10)
    graph = nx.from_numpy_array(strengths, create_using=nx.DiGraph)
    assert found == pytest.approx(nx.average_clustering(graph, weight="weight"), abs=1e-10)


def test_all_possible_triangles_of_equal_weights_are_1() -> None:
    assert value(-0.3 * complete(6)) == pytest.approx(1, abs=1e-12)


def test_a_triangle_in_one_direction_is_one_of_eight() -> None:
    """Two partners may form 2 (2 x 1) = 2 directed triangles with a neuron of degree 2; a cycle is one."""
    assert value(cycle(3)) == pytest.approx(1 / 2, abs=1e-12)


@pytest.mark.parametrize("reach", [2, 3, 4])
def test_a_lattice_has_its_closed_form(reach: int) -> None:
    """3 (k - 2) / (4 (k - 1)) with k = 2 reach partners (Watts and Strogatz, 1998)."""
    k = 2 * reach
    assert value(ring(40, reach)) == pytest.approx(3 * (k - 2) / (4 * (k - 1)), abs=1e-12)


def test_stars_and_wide_rings_have_no_triangle() -> None:
    assert value(star(7)) == 0
    assert value(ring(8)) == 0


def test_random_graphs_cluster_as_dense_as_they_are() -> None:
    """Of two partners of a neuron in an Erdos-Renyi graph, the share `density` of synapses exists."""
    w_rec = (random_digraph(150, 0.2, 0) != 0).astype(np.float64)
    assert value(w_rec) == pytest.approx(0.2, abs=0.01)


def test_weights_enter_by_the_geometric_mean_over_the_triangle() -> None:
    w_rec = complete(3)
    w_rec[0, 1] = w_rec[1, 0] = 1 / 8
    assert value(w_rec) == pytest.approx((1 / 8) ** (1 / 3), abs=1e-12)


@pytest.mark.parametrize("w_rec", [np.zeros((0, 0)), np.zeros((1, 1)), complete(2), np.zeros((5, 5))])
def test_without_two_partners_it_is_nan(w_rec: Floats) -> None:
    assert math.isnan(value(w_rec))


def test_masked_synapses_do_not_count() -> None:
    assert value(complete(6), mask=ring(6, 1)) == 0
