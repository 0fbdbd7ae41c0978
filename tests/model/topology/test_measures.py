import math
import random
from pathlib import Path
from typing import Any

import igraph
import numpy as np
import pytest
from digraphs import complete, distances_between, random_digraph, star

from model.topology import MEASURES, NULL_MEASURES, communities, measures, null_measures
from model.topology.definitions import DEFINITIONS
from model.topology.names import WITHIN_SHELLS
from model.topology.network import Network
from model.topology.spatial import SPATIAL
from model.topology.trained import Trained

SUFFIXES = ("ratio", "z", "p")
UNORDERED = (
    *("clustering", "global_efficiency", "global_efficiency_binary", "weight_entropy"),
    *("inhibition_reach", "radius_time_correlation", "radius_rate_correlation"),
)
"""Measures that order in space leaves as they are."""
GRAPH = MEASURES[:9]
"""Measures that need nothing but weights and distances."""


def space_network(size: int = 12, seed: int = 0) -> tuple[Any, Any]:
    """Weights that fall with distance."""
    rng = np.random.default_rng(seed)
    x = rng.random((size, 2))
    distances = distances_between(x)
    return rng.normal(size=(size, size)) * np.exp(-4 * distances), distances


def aligned_network(size: int = 48, seed: int = 0) -> dict[str, Any]:
    """Weights that fall with distance, and classes and input weights that depend on place."""
    rng = np.random.default_rng(seed)
    x = rng.random((size, 2))
    labels = np.arange(40) % 4
    tuned = np.equal.outer(labels, (2 * (x[:, 0] > 0.5) + (x[:, 1] > 0.5)).astype(int))
    return {
        "w_rec": rng.normal(size=(size, size)) * np.exp(-8 * distances_between(x)),
        "distances": distances_between(x),
        "positions": x,
        "w_in": rng.normal(size=(6, 2)) @ x.T + 0.1 * rng.normal(size=(6, size)),
        "spikes": rng.poisson(1 + 9 * x[:, 0] * tuned),
        "labels": labels,
        "fields": np.exp(-(((np.arange(12) / 12 - x[:, :1]) / 0.2) ** 2)),
        "times": 100 * x[:, 1] + rng.normal(size=size),
    }


def test_the_names_are_those_of_the_tables() -> None:
    assert MEASURES == (
        "modularity",
        "clustering",
        "global_efficiency",
        "global_efficiency_binary",
        "small_world_propensity",
        "wiring_efficiency",
        "inhibition_reach",
        "weight_entropy",
        "communicability_entropy",
        "input_position_r2",
        "input_position_r2_cv",
        "selectivity",
        "selectivity_moran",
        "module_space_ami",
        "module_class_ami",
        "space_class_ami",
        "field_moran",
        "field_space_mantel",
        "centroid_moran",
        "input_moran",
        "input_space_mantel",
        "input_centroid_moran",
        "class_space_mantel",
        "response_space_mantel",
        "preferred_time_moran",
        "rate_moran",
        "radius_time_correlation",
        "radius_rate_correlation",
        "channel_place_spread",
        "input_channel_place_spread",
    )
    assert set(SPATIAL) | set(DEFINITIONS) == set(MEASURES)
    assert not set(SPATIAL) & set(DEFINITIONS)
    assert set(SPATIAL) - WITHIN_SHELLS == {"radius_time_correlation", "radius_rate_correlation"}


def test_without_nulls_there_are_just_the_values() -> None:
    found = measures(**aligned_network(), nulls=0)
    assert tuple(found) == MEASURES
    assert all(isinstance(value, float) and math.isfinite(value) for value in found.values())


def test_what_is_not_given_is_nan() -> None:
    given = aligned_network()

    def known(*names: str) -> set[str]:
        chosen = {name: given[name] for name in ("w_rec", "distances", *names)}
        found = measures(**chosen, nulls=1)
        values = {name for name in MEASURES if math.isfinite(found[name])}
        assert {name for name in MEASURES if math.isfinite(found[f"{name}_p"])} == values
        return values

    assert known() == set(GRAPH)
    assert known("positions") == {*GRAPH, "module_space_ami"}
    assert known("w_in") == known("fields", "times") == set(GRAPH)
    assert known("w_in", "positions") == {
        *GRAPH,
        "module_space_ami",
        *(name for name in MEASURES if name.startswith("input")),
    }
    assert known("spikes", "labels") == {*GRAPH, "selectivity", "module_class_ami"}
    assert known("fields", "positions") - known("positions") == {
        *("field_moran", "field_space_mantel", "centroid_moran", "channel_place_spread")
    }
    assert known("times", "positions") - known("positions") == {
        "preferred_time_moran",
        "radius_time_correlation",
    }


def test_the_seed_fixes_everything_and_nulls_do_not_move_the_values() -> None:
    given = aligned_network()
    found = measures(**given, nulls=3, seed=3)
    assert found == measures(**given, nulls=3, seed=3)
    assert found != measures(**given, nulls=3, seed=4)
    plain = measures(**given, nulls=0, seed=3)
    assert {name: found[name] for name in MEASURES} == plain
    assert tuple(name for name in found if name not in MEASURES) == NULL_MEASURES
    assert {f"{name}_{end}" for name in MEASURES for end in SUFFIXES} <= set(found)


def test_a_network_ordered_by_space_stands_out_from_its_nulls() -> None:
    found = measures(**aligned_network(), nulls=19)
    for name in MEASURES:
        if name not in UNORDERED:
            assert found[f"{name}_p"] == pytest.approx(1 / 20 if "communic" not in name else 1), name
    assert found["wiring_efficiency_z"] > 3
    assert found["wiring_efficiency_ratio"] > 1.2
    assert found["modularity_z"] > 3


def test_nulls_are_what_reordering_by_hand_gives() -> None:
    """One null of each kind, from the same stream of random numbers."""
    given, seed = aligned_network(), 5
    trained = Trained.of(
        Network.of(given["w_rec"], given["distances"]),
        given["positions"],
        given["w_in"],
        given["spikes"],
        given["labels"],
    )
    found = measures(**given, nulls=1, seed=seed)
    streams = [np.random.default_rng([seed, stream]) for stream in range(3)]
    weights = trained.with_shuffled_weights(streams[0]).network.strengths
    positions = trained.with_shuffled_positions(streams[1]).positions
    shuffled = trained.with_shuffled_labels(streams[2]).responses
    assert positions is not None and shuffled is not None
    assert sorted(positions.tolist()) == sorted(given["positions"].tolist())
    assert sorted(shuffled.labels.tolist()) == sorted(given["labels"].tolist())
    for names, changes in (
        (("clustering", "wiring_efficiency", "global_efficiency"), {"w_rec": weights}),
        (("input_position_r2",), {"positions": positions}),
        (("selectivity",), {"labels": shuffled.labels}),
    ):
        null = measures(**given | changes, nulls=0, seed=seed)
        for name in names:
            assert found[f"{name}_ratio"] == pytest.approx(found[name] / null[name])


def test_those_that_are_asked_for_are_compared_and_come_out_the_same() -> None:
    given, asked = aligned_network(), ("clustering", "field_moran")
    everything = measures(**given, nulls=3)
    found = measures(**given, nulls=3, compared=asked)
    assert tuple(found) == (*MEASURES, *null_measures(asked))
    assert found == {name: everything[name] for name in found}


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("nulls", [0, 1, 3])
def test_a_network_without_edges_is_all_nan(size: int, nulls: int) -> None:
    found = measures(np.zeros((size, size)), np.zeros((size, size)), nulls=nulls)
    assert len(found) == len(MEASURES) + (len(NULL_MEASURES) if nulls else 0)
    assert all(math.isnan(value) for value in found.values())
    assert communities(np.zeros((size, size))).tolist() == list(range(size))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
@pytest.mark.parametrize(
    "w_rec", [complete, star, lambda n: np.zeros((n, n)), lambda n: random_digraph(n, 0.2, 0)]
)
@pytest.mark.parametrize("spikes", [0, 1])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_least_networks_break_nothing(size: int, w_rec: Any, spikes: int, spread: float) -> None:
    """One place, one weight, no weight, no spike: what is not defined is NaN, and nothing warns."""
    positions = spread * np.random.default_rng(0).random((size, 2))
    found = measures(
        w_rec(size),
        distances_between(positions),
        positions,
        np.ones((3, size)),
        np.full((6, size), spikes),
        nulls=2,
        labels=np.arange(6) % 2,
        fields=np.full((size, 3), spikes or np.nan),
        times=np.full(size, spikes or np.nan),
    )
    assert not any(math.isinf(value) for value in found.values())
    if spikes == 0:
        assert math.isnan(found["selectivity"]) and math.isnan(found["module_class_ami"])
    if spread == 0 or size == 1:
        assert math.isnan(found["input_position_r2"]) and math.isnan(found["module_space_ami"])


def test_measuring_leaves_the_random_numbers_of_others_alone() -> None:
    def draw() -> tuple[float, Any]:
        return random.random(), igraph.Graph.Erdos_Renyi(n=20, m=30).get_edgelist()

    random.seed(1)
    expected = draw()
    random.seed(1)
    measures(*space_network(), nulls=2)
    assert draw() == expected


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
        ({"positions": np.zeros((2, 2))}, r"`positions` has the shape \(2, 2\), expected \[3, D\]"),
        ({"positions": np.zeros(3)}, r"`positions` has the shape \(3,\), expected two dimensions"),
        ({"positions": np.full((3, 1), np.nan)}, "`positions` holds a value that is not finite"),
        ({"w_in": np.zeros((3, 4))}, r"`w_in` has the shape \(3, 4\), expected \[C, 3\], or less neurons"),
        ({"spikes": np.zeros((4, 3))}, "`spikes` and `labels` tell something together alone"),
        ({"spikes": np.zeros((4, 2)), "labels": [0, 1, 0, 1]}, r"`spikes` has the shape \(4, 2\)"),
        ({"fields": np.zeros((2, 4))}, r"`fields` has the shape \(2, 4\), expected \[3, C\]"),
        ({"fields": np.full((3, 4), np.inf)}, "`fields` holds a value that is infinite"),
        ({"times": np.zeros((3, 1))}, r"`times` has the shape \(3, 1\), expected \[3\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"w_rec": np.ones((3, 3)), "distances": np.ones((3, 3))}
    with pytest.raises(ValueError, match=message):
        measures(**(arguments | changes))


def test_every_measure_is_documented() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/topology.md").read_text()
    assert [name for name in MEASURES if f"| `{name}` |" not in text] == []
