import math

import numpy as np
import pytest
from digraphs import complete, cycle, random_digraph, star
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import expm

from model.arrays import Floats
from model.topology.entropy import communicability_entropy, weight_entropy
from model.topology.network import Network


def both(w_rec: Floats) -> tuple[float, float]:
    network = Network.of(w_rec, np.zeros_like(w_rec))
    return weight_entropy(network), communicability_entropy(network)


def row_entropies(amounts: Floats) -> list[float]:
    return [float(stats.entropy(row, base=2)) if row.any() else 0.0 for row in amounts]


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 20), st.floats(0.05, 1), st.integers(0, 1000))
def test_agree_with_their_definitions(size: int, density: float, seed: int) -> None:
    w_rec = random_digraph(size, density, seed)
    weight, communicability = both(w_rec)
    if not w_rec.any():
        assert math.isnan(weight) and math.isnan(communicability)
        return
    strengths = np.abs(w_rec)
    assert weight == pytest.approx(np.mean(row_entropies(strengths)), abs=1e-10)
    sent = strengths.sum(1)
    root = np.diag(np.divide(1, np.sqrt(sent), out=np.zeros(size), where=sent > 0))
    ways = np.maximum(0, expm(root @ strengths @ root))  # rounding may fall below 0
    assert communicability == pytest.approx(np.mean(row_entropies(ways)), abs=1e-10)


def test_known_graphs_have_their_closed_forms() -> None:
    assert both(3.0 * complete(9))[0] == pytest.approx(3, abs=1e-12)  # eight targets alike
    assert both(cycle(5))[0] == 0  # one target each
    assert both(star(9))[0] == pytest.approx(3 / 9, abs=1e-12)  # eight targets of the centre


def entropy_of_complete(n: int, sent: float) -> float:
    """Entropy (bits) of a row of exp(A / sent), A complete: one number on the diagonal, one beside."""
    decay, total = math.exp(-1 / sent), math.exp((n - 1) / sent)
    beside = (total - decay) / n
    return float(stats.entropy([total - (n - 1) * beside] + [beside] * (n - 1), base=2))


def test_communicability_of_a_complete_graph_has_its_closed_form() -> None:
    assert both(0.2 * complete(6))[1] == pytest.approx(entropy_of_complete(6, 5), abs=1e-12)


def test_a_neuron_that_sends_nothing_counts_0() -> None:
    w_rec = complete(5)
    w_rec[0] = 0
    assert both(w_rec)[0] == pytest.approx(4 / 5 * 2, abs=1e-12)
    assert both(w_rec)[1] == pytest.approx(4 / 5 * entropy_of_complete(4, 4), abs=1e-12)


def test_strengths_of_any_size_do_not_overflow() -> None:
    """Written as published, a weak neuron that is strongly driven makes the exponential overflow."""
    w_rec = complete(4)
    w_rec[0] *= 1e-12
    weight, communicability = both(w_rec)
    assert weight == pytest.approx(math.log2(3), abs=1e-9)
    assert 0 <= communicability <= 2


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_without_synapses_it_is_nan(size: int) -> None:
    assert all(math.isnan(x) for x in both(np.zeros((size, size))))
