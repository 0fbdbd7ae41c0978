import math

import bct
import networkx as nx
import numpy as np
import pytest
from digraphs import cliques, complete, cycle, random_digraph, ring, star
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import Floats
from model.topology.network import Network
from model.topology.paths import global_efficiency, global_efficiency_binary


def both(w_rec: Floats) -> tuple[float, float]:
    network = Network.of(w_rec, np.zeros_like(w_rec))
    return global_efficiency(network), global_efficiency_binary(network)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 25), st.floats(0.05, 1), st.integers(0, 1000))
def test_agree_with_the_brain_connectivity_toolbox_and_networkx(size: int, density: float, seed: int) -> None:
    w_rec = random_digraph(size, density, seed)
    weighted, binary = both(w_rec)
    if not w_rec.any():
        assert math.isnan(weighted) and math.isnan(binary)
        return
    strengths = np.abs(w_rec) / np.abs(w_rec).max()
    with np.errstate(divide="ignore"):
        assert weighted == pytest.approx(bct.efficiency_wei(strengths), abs=1e-10)
        assert binary == pytest.approx(bct.efficiency_bin(strengths), abs=1e-10)
    lengths = np.divide(1, strengths, out=np.zeros_like(strengths), where=strengths > 0)
    graph = nx.from_numpy_array(lengths, create_using=nx.DiGraph)
    ways = dict(nx.all_pairs_dijkstra_path_length(graph))
    inverse = sum(1 / way for one in ways.values() for way in one.values() if way > 0)
    assert weighted == pytest.approx(inverse / (size * (size - 1)), abs=1e-10)


def test_all_pairs_with_equal_weights_are_1() -> None:
    assert both(0.2 * complete(7)) == pytest.approx((1, 1), abs=1e-12)


def test_known_graphs_have_their_closed_forms() -> None:
    assert both(star(9))[1] == pytest.approx((2 * 8 + 8 * 7 / 2) / (9 * 8), abs=1e-12)
    assert both(cycle(6))[1] == pytest.approx(sum(1 / k for k in range(1, 6)) / 5, abs=1e-12)
    assert both(ring(7))[1] == pytest.approx(2 * (1 + 1 / 2 + 1 / 3) / 6, abs=1e-12)


def test_pairs_without_a_way_count_nothing() -> None:
    assert both(cliques(2, 4))[0] == pytest.approx(3 / 7, abs=1e-12)


def test_direction_counts() -> None:
    assert both(np.array([[0.0, 1.0], [0.0, 0.0]]))[0] == pytest.approx(1 / 2, abs=1e-12)


def test_two_strong_synapses_are_shorter_than_a_weak_one() -> None:
    w_rec = np.array([[0, 1, 0.1], [0, 0, 1], [0, 0, 0]])
    assert both(w_rec)[0] == pytest.approx((1 + 1 + 1 / 2) / 6, abs=1e-12)
    assert both(w_rec)[1] == pytest.approx(3 / 6, abs=1e-12)


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_without_synapses_it_is_nan(size: int) -> None:
    assert all(math.isnan(x) for x in both(np.zeros((size, size))))


def test_weights_of_any_size_do_not_overflow() -> None:
    w_rec = np.array([[0, 1e300, 1e-300], [1e-300, 0, 0], [0, 0, 0]])
    assert both(w_rec) == pytest.approx((1 / 6, (1 + 1 + 1 + 1 / 2) / 6))
