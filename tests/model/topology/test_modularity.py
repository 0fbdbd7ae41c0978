import math

import networkx as nx
import numpy as np
import pytest
from digraphs import random_digraph
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.topology import communities, measures

Floats = NDArray[np.float64]


def modularity(w_rec: Floats, seed: int = 0, mask: NDArray[np.bool_] | None = None) -> float:
    return measures(w_rec, np.zeros_like(w_rec), nulls=0, seed=seed, mask=mask)["modularity"]


def ring_of_cliques(cliques: int, size: int) -> Floats:
    """Complete directed cliques; each is tied to the next by one pair of synapses."""
    block = np.arange(cliques * size) // size
    w_rec = np.equal.outer(block, block).astype(np.float64)
    np.fill_diagonal(w_rec, 0)
    for i in range(cliques):
        last, first = i * size + size - 1, (i + 1) % cliques * size
        w_rec[last, first] = w_rec[first, last] = 1
    return w_rec


def best_by_trying_all(w_rec: Floats) -> float:
    """The greatest Q over all partitions, from its definition."""
    strengths = np.abs(w_rec)
    total = strengths.sum()
    gain = strengths / total - np.outer(strengths.sum(1), strengths.sum(0)) / total**2
    best = -math.inf

    def extend(labels: list[int]) -> None:
        nonlocal best
        if len(labels) == len(w_rec):
            same = np.equal.outer(labels, labels)
            best = max(best, float(gain[same].sum()))
            return
        for label in range(max(labels, default=-1) + 2):
            extend([*labels, label])

    extend([])
    return best


@pytest.mark.parametrize("cliques", [2, 3, 5])
def test_equal_cliques_apart_have_one_minus_one_over_their_number(cliques: int) -> None:
    w_rec = np.kron(np.eye(cliques), np.full((4, 4), -0.3))
    assert modularity(w_rec) == pytest.approx(1 - 1 / cliques, abs=1e-12)
    assert communities(w_rec).tolist() == np.unique(communities(w_rec), return_inverse=True)[1].tolist()
    assert (
        len(set(zip(communities(w_rec).tolist(), np.repeat(np.arange(cliques), 4), strict=True))) == cliques
    )


@pytest.mark.parametrize(("cliques", "size"), [(4, 5), (6, 4)])
def test_a_ring_of_cliques_has_its_closed_form(cliques: int, size: int) -> None:
    inside = size * (size - 1)
    assert modularity(ring_of_cliques(cliques, size)) == pytest.approx(
        inside / (inside + 2) - 1 / cliques, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(3))
def test_communities_are_no_worse_than_those_of_louvain(seed: int) -> None:
    """The published search, by networkx."""
    x = np.random.default_rng(seed).random((40, 2))
    w_rec = np.exp(-3 * np.linalg.norm(x[:, None] - x, axis=-1)) * random_digraph(40, 0.7, seed)
    graph = nx.from_numpy_array(np.abs(w_rec), create_using=nx.DiGraph)
    published = max(
        nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=one)) for one in range(5)
    )
    assert modularity(w_rec) >= 0.98 * published


@pytest.mark.parametrize("seed", range(6))
def test_small_networks_come_near_the_best_of_all_partitions(seed: int) -> None:
    """A greedy search need not find the best, but it never claims more, and should not miss by much."""
    w_rec = random_digraph(7, 0.5, seed)
    best = best_by_trying_all(w_rec)
    assert 0.9 * best <= modularity(w_rec) <= best + 1e-12


def test_direction_counts() -> None:
    """A chain 0 > 1 > 2 > 3, cut in the middle: 2/3 - (2 x 1 + 1 x 2) / 9 directed, 4/6 - 18/36 both ways."""
    chain = np.zeros((4, 4))
    chain[0, 1] = chain[1, 2] = chain[2, 3] = 1
    assert modularity(chain) == pytest.approx(2 / 9, abs=1e-12)
    assert modularity(chain + chain.T) == pytest.approx(1 / 6, abs=1e-12)


@given(st.integers(2, 12), st.floats(0.1, 1), st.integers(0, 1000), st.sampled_from([1.0, 1e-30, 1e30]))
@settings(max_examples=50, deadline=None)
def test_the_value_is_that_of_the_communities_by_networkx(
    size: int, density: float, seed: int, scale: float
) -> None:
    w_rec = random_digraph(size, density, seed)
    value, members = modularity(w_rec * scale), communities(w_rec * scale)
    if not w_rec.any():
        assert math.isnan(value)
        assert members.tolist() == list(range(size))
        return
    graph = nx.from_numpy_array(np.abs(w_rec), create_using=nx.DiGraph)
    groups = [set(np.flatnonzero(members == one).tolist()) for one in np.unique(members)]
    assert value == pytest.approx(nx.community.modularity(graph, groups), abs=1e-10)
    assert -1e-12 <= value < 1
    assert sorted(map(len, groups), reverse=True) == [len(group) for group in groups]


def test_a_neuron_without_synapses_stays_alone() -> None:
    w_rec = np.zeros((6, 6))
    w_rec[:4, :4] = 1
    members = communities(w_rec)
    assert members[:4].tolist() == [0, 0, 0, 0]
    assert sorted(members[4:].tolist()) == [1, 2]


def test_the_seed_fixes_the_result() -> None:
    w_rec = random_digraph(120, 1.0, 0)
    by_seed = [(modularity(w_rec, seed), communities(w_rec, seed).tolist()) for seed in (0, 1, 2, 0)]
    assert by_seed[0] == by_seed[3]
    assert len({value for value, _ in by_seed}) > 1


def test_masked_synapses_and_the_diagonal_do_not_count() -> None:
    w_rec = np.ones((8, 8)) + 100 * np.eye(8)
    mask = np.kron(np.eye(2), np.ones((4, 4))).astype(bool)
    assert modularity(w_rec, mask=mask) == pytest.approx(0.5, abs=1e-12)
    assert len(set(communities(w_rec, mask=mask).tolist())) == 2
    assert len(set(communities(w_rec).tolist())) == 1
