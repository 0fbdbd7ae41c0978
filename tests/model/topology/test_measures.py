import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from model.topology import MEASURES, communities, measures
from model.topology.measures import against_null
from model.topology.network import Network
from model.topology.wiring import wiring_efficiency


def space_network(size: int = 12, seed: int = 0) -> tuple[Any, Any]:
    """Weights that fall with distance."""
    rng = np.random.default_rng(seed)
    x = rng.random((size, 2))
    distances = np.linalg.norm(x[:, None] - x, axis=-1)
    return rng.normal(size=(size, size)) * np.exp(-4 * distances), distances


def test_without_nulls_there_are_just_the_values() -> None:
    found = measures(*space_network(), nulls=0)
    assert tuple(found) == MEASURES == ("modularity", "wiring_efficiency")
    assert all(isinstance(value, float) for value in found.values())


def test_the_seed_fixes_everything_and_nulls_do_not_move_the_values() -> None:
    network = space_network()
    found = measures(*network, nulls=5, seed=3)
    assert found == measures(*network, nulls=5, seed=3)
    assert found != measures(*network, nulls=5, seed=4)
    plain = measures(*network, nulls=0, seed=3)
    assert {name: found[name] for name in MEASURES} == plain
    assert set(found) == {*MEASURES, *(f"{name}_{end}" for name in MEASURES for end in ("ratio", "z", "p"))}


def test_a_network_ordered_by_space_stands_out_from_its_nulls() -> None:
    w_rec, distances = space_network(16)
    found = measures(w_rec, distances, nulls=19)
    assert found["wiring_efficiency_p"] == pytest.approx(1 / 20)
    assert found["wiring_efficiency_z"] > 3
    assert found["wiring_efficiency_ratio"] > 1.2
    assert found["modularity_z"] > 1


def test_random_weights_have_uniform_p() -> None:
    """Under the null hypothesis the rank of the value among its nulls is uniform."""
    _, distances = space_network(8)
    rng = np.random.default_rng(1)
    p = []
    for _ in range(200):
        network = Network.of(rng.normal(size=(8, 8)), distances)
        null = [wiring_efficiency(network.shuffled(rng)) for _ in range(9)]
        p.append(against_null(wiring_efficiency(network), np.array(null))["p"])
    counts = np.bincount(np.round(np.array(p) * 10).astype(int), minlength=11)[1:]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_against_null_is_ratio_z_and_permutation_p() -> None:
    null = np.array([1.0, 2.0, 3.0, 6.0])
    found = against_null(3.0, null)
    assert found["ratio"] == pytest.approx(1.0)
    assert found["z"] == pytest.approx(0.0)
    assert against_null(5.0, null)["z"] == pytest.approx(2 / np.std(null, ddof=1))
    assert found["p"] == pytest.approx(3 / 5)  # 3 and 6 are at least 3
    assert against_null(7.0, null)["p"] == pytest.approx(1 / 5)


def test_equal_nulls_have_no_z_and_p_of_one() -> None:
    found = against_null(0.3, np.array([0.3, 0.3 - 1e-16, 0.3]))
    assert found["ratio"] == pytest.approx(1.0)
    assert math.isnan(found["z"])
    assert found["p"] == 1.0
    assert math.isnan(against_null(0.3, np.array([0.1]))["z"])  # one null has no spread
    assert math.isnan(against_null(0.0, np.zeros(3))["ratio"])


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("nulls", [0, 1, 3])
def test_a_network_without_edges_is_all_nan(size: int, nulls: int) -> None:
    found = measures(np.zeros((size, size)), np.zeros((size, size)), nulls=nulls)
    assert len(found) == len(MEASURES) * (4 if nulls else 1)
    assert all(math.isnan(value) for value in found.values())
    assert communities(np.zeros((size, size))).tolist() == list(range(size))


def test_shuffling_moves_weights_among_the_pairs_that_exist() -> None:
    w_rec, distances = space_network(10)
    mask = np.random.default_rng(2).random((10, 10)) < 0.4
    network = Network.of(w_rec, distances, mask)
    shuffled = network.shuffled(np.random.default_rng(0))
    assert not network.exists.diagonal().any()
    assert (shuffled.strengths[~network.exists] == 0).all()
    assert sorted(shuffled.strengths.flat) == sorted(network.strengths.flat)
    assert (shuffled.strengths != network.strengths).any()


def test_a_pair_without_weight_exists_unless_masked() -> None:
    w_rec, distances = space_network(6)
    pruned = np.where(distances > np.median(distances), 0, w_rec)
    all_pairs = measures(pruned, distances, nulls=0)
    kept_pairs = measures(pruned, distances, nulls=0, mask=pruned != 0)
    assert all_pairs["modularity"] == kept_pairs["modularity"]
    assert all_pairs["wiring_efficiency"] > kept_pairs["wiring_efficiency"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"w_rec": np.zeros((3, 4))}, r"`w_rec` has the shape \(3, 4\), expected \[N, N\]"),
        ({"distances": np.zeros((2, 2))}, r"the shapes differ: `w_rec` \(3, 3\), `distances` \(2, 2\)"),
        ({"mask": np.ones((2, 2), dtype=bool)}, r"`mask` \(2, 2\)"),
        ({"w_rec": np.full((3, 3), np.nan)}, "`w_rec` holds a value that is not finite"),
        ({"distances": np.full((3, 3), np.inf)}, "`distances` holds a value that is not finite"),
        ({"distances": -np.ones((3, 3))}, "`distances` holds a negative value"),
        ({"nulls": -1}, "`nulls`: got -1"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"w_rec": np.ones((3, 3)), "distances": np.ones((3, 3))}
    with pytest.raises(ValueError, match=message):
        measures(**(arguments | changes))
