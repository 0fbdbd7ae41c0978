import math

import networkx as nx
import numpy as np
import pytest
from digraphs import cliques, complete, random_digraph, ring
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import Floats
from model.topology.network import Network
from model.topology.small_world import small_world_propensity


def value(w_rec: Floats, seed: int = 0) -> float:
    return small_world_propensity(Network.of(w_rec, np.zeros_like(w_rec), None, seed))


def watts_strogatz(rewired: float, seed: int = 0) -> Floats:
    graph = nx.connected_watts_strogatz_graph(100, 10, rewired, seed=seed)
    return np.asarray(nx.to_numpy_array(graph))


def naive(weights: Floats, seed: int) -> float:
    """The published definition for a connected undirected network, on networkx."""
    n = len(weights)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    strongest_first = sorted((weights[i, j] for i, j in pairs), reverse=True)
    rng = np.random.default_rng(seed)

    def apart(pair: tuple[int, int]) -> int:
        return min(pair[1] - pair[0], n - (pair[1] - pair[0]))

    tie = dict(zip(pairs, rng.random(len(pairs)), strict=True))
    on_ring = sorted(pairs, key=lambda pair: (apart(pair), tie[pair]))
    anywhere = [pairs[k] for k in rng.permutation(len(pairs))]

    def look(order: list[tuple[int, int]], values: list[float]) -> tuple[float, float]:
        graph = nx.Graph()
        graph.add_nodes_from(range(n))
        for (i, j), w in zip(order, values, strict=True):
            if w > 0:
                graph.add_edge(i, j, weight=w, length=1 / w)
        lengths = [
            way
            for i, ways in nx.all_pairs_dijkstra_path_length(graph, weight="length")
            for j, way in ways.items()
            if i != j
        ]
        return nx.average_clustering(graph, weight="weight"), float(np.mean(lengths))

    c, length = look(pairs, [weights[pair] for pair in pairs])
    c_lattice, l_lattice = look(on_ring, strongest_first)
    c_random, l_random = look(anywhere, strongest_first)
    d_c = np.clip((c_lattice - c) / (c_lattice - c_random), 0, 1)
    d_l = np.clip((length - l_random) / (l_lattice - l_random), 0, 1)
    return float(1 - math.sqrt((d_c**2 + d_l**2) / 2))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("size", "density"), [(16, 0.3), (16, 0.5), (36, 1.0)])
def test_agrees_with_the_definition_on_networkx(size: int, density: float, seed: int) -> None:
    w_rec = random_digraph(size, density, seed)
    symmetric = np.abs(w_rec) + np.abs(w_rec).T
    assert nx.is_connected(nx.from_numpy_array(symmetric))
    expected = naive(symmetric / symmetric.max(), seed)
    assert value(w_rec, seed) == pytest.approx(expected, abs=1e-10)


def test_the_ends_are_lattice_random_and_small_world() -> None:
    """A lattice has dC = 0 and dL = 1, a random network the reverse: 1 - sqrt(1/2), both."""
    end = 1 - math.sqrt(1 / 2)
    assert value(watts_strogatz(0)) == pytest.approx(end, abs=1e-9)
    assert value(watts_strogatz(1)) == pytest.approx(end, abs=0.1)
    assert value(watts_strogatz(0.05)) > 0.7


def test_of_several_parts_the_largest_counts() -> None:
    alone = random_digraph(12, 0.4, 3)
    beside = np.zeros((18, 18))
    beside[4:16, 4:16] = alone
    beside[0, 1] = beside[16, 17] = 5.0  # stronger, but small
    assert 0 < value(alone) < 1
    assert value(beside) == pytest.approx(value(alone), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 12), st.floats(0, 1), st.integers(0, 1000))
def test_any_network_has_a_value_in_range_or_none(size: int, density: float, seed: int) -> None:
    found = value(random_digraph(size, density, seed), seed)
    assert math.isnan(found) or 0 <= found <= 1


@pytest.mark.parametrize("w_rec", [np.zeros((6, 6)), complete(3), cliques(3, 3), complete(8), ring(4)])
def test_what_cannot_be_told_from_a_random_network_is_nan(w_rec: Floats) -> None:
    assert math.isnan(value(w_rec))
