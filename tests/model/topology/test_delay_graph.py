import math
from itertools import pairwise

import bct
import networkx as nx
import numpy as np
import pytest
from digraphs import distances_between

from model.topology import delay_graphs
from model.topology.delay_graph import SHARES


def test_each_is_the_graph_of_the_shortest_synapses() -> None:
    rng = np.random.default_rng(0)
    delays = rng.random((24, 24))
    mask = (rng.random((24, 24)) < 0.8) & ~np.eye(24, dtype=bool)
    found = delay_graphs(delays, mask)
    assert [one.share for one in found] == list(SHARES)
    for one in found:
        kept = sorted(delays[mask])[: round(one.share * mask.sum())]
        shortest = mask & (delays <= kept[-1])
        graph = nx.from_numpy_array(shortest.astype(int), create_using=nx.DiGraph)
        assert one.clustering == pytest.approx(bct.clustering_coef_bd(shortest.astype(float)).mean())
        steps = [
            1 / length
            for source, ways in nx.all_pairs_shortest_path_length(graph)
            for target, length in ways.items()
            if source != target
        ]
        assert one.efficiency == pytest.approx(sum(steps) / (24 * 23))
        louvain = nx.community.louvain_communities(graph, seed=0)
        assert one.modularity >= nx.community.modularity(graph, louvain) - 1e-3


def test_random_delays_are_like_random_graphs_and_near_neighbours_are_not() -> None:
    rng = np.random.default_rng(0)
    random = delay_graphs(rng.random((64, 64)))
    for one in random[1:-1]:
        assert one.clustering_ratio == pytest.approx(1, abs=0.1)
        assert one.efficiency_ratio == pytest.approx(1, abs=0.05)
    space = delay_graphs(distances_between(rng.random((64, 2))))
    assert space[1].clustering_ratio > 3 and space[1].modularity > 1.5 * random[1].modularity
    assert space[1].efficiency_ratio < 0.95
    assert all(a.efficiency <= b.efficiency for a, b in pairwise(space))


def test_equal_delays_go_in_random_order() -> None:
    """In the order of the neurons, the graph would be made of the first ones' targets."""
    found = delay_graphs(np.ones((40, 40)))
    assert [one.clustering_ratio for one in found[1:]] == pytest.approx([1] * 18, abs=0.15)
    assert delay_graphs(np.ones((40, 40))) == found


@pytest.mark.parametrize("size", [0, 1, 2])
def test_without_synapses_nothing_is_defined(size: int) -> None:
    found = delay_graphs(np.ones((size, size)))
    assert [one.share for one in found] == list(SHARES)
    assert math.isnan(found[0].modularity) and math.isnan(found[0].clustering_ratio)
