import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from digraphs import distances_between
from scipy import stats

from model.topology import measures
from model.topology.nulls import against_null


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


def test_nulls_on_both_sides_of_0_have_no_ratio() -> None:
    assert math.isnan(against_null(0.0, np.zeros(3))["ratio"])
    found = against_null(0.5, np.array([-0.1, 0.1, 0.03]))
    assert math.isnan(found["ratio"])
    assert found["z"] > 4
    assert found["p"] == 1 / 4


def test_what_is_not_defined_stands_against_nothing() -> None:
    for value, null in ((math.nan, [1.0, 2.0]), (1.0, [1.0, math.nan])):
        assert all(math.isnan(x) for x in against_null(value, np.array(null)).values())


def of_weights(rng: np.random.Generator, x: Any) -> dict[str, Any]:
    return {"w_rec": rng.normal(size=(len(x), len(x)))}


def of_inputs(rng: np.random.Generator, x: Any) -> dict[str, Any]:
    return {"w_rec": np.zeros((len(x), len(x))), "w_in": rng.normal(size=(5, len(x))), "positions": x}


def of_spikes(rng: np.random.Generator, x: Any) -> dict[str, Any]:
    counts = rng.normal(size=(30, len(x))) ** 2
    labels = rng.integers(3, size=30)
    return {"w_rec": np.zeros((len(x), len(x))), "positions": x, "spikes": counts, "labels": labels}


def of_fields(rng: np.random.Generator, x: Any) -> dict[str, Any]:
    """Fields and weights that are smooth over channels, and know nothing of place."""
    smooth = np.ones(3)
    rows = [np.convolve(row, smooth, "valid") for row in rng.normal(size=(2 * len(x), 12))]
    weights = {"w_rec": np.zeros((len(x), len(x))), "w_in": np.array(rows[: len(x)]).T}
    return weights | {"positions": x, "fields": np.exp(rows[len(x) :]), "times": rng.random(len(x))}


@pytest.mark.parametrize(
    ("draw", "size", "names"),
    [
        (
            of_weights,
            8,
            ["modularity", "clustering", "global_efficiency", "wiring_efficiency"],
        ),
        (of_inputs, 12, ["input_position_r2", "input_position_r2_cv"]),
        (
            of_spikes,
            20,
            ["selectivity", "selectivity_moran", "class_space_mantel", "response_space_mantel", "rate_moran"],
        ),
        (
            of_spikes,
            20,
            ["selectivity_moran_shell", "class_space_mantel_shell", "response_space_mantel_shell"],
        ),
        (of_fields, 20, ["field_moran", "field_space_mantel", "centroid_moran", "channel_place_spread"]),
        (
            of_fields,
            20,
            ["input_moran", "input_space_mantel", "input_centroid_moran", "input_channel_place_spread"],
        ),
        (
            of_fields,
            20,
            [
                "preferred_time_moran",
                "radius_time_correlation",
                "field_moran_shell",
                "input_space_mantel_shell",
            ],
        ),
    ],
)
def test_p_is_uniform_where_the_null_is_true(
    draw: Callable[[np.random.Generator, Any], dict[str, Any]], size: int, names: list[str]
) -> None:
    """Where chance alone made the network, the rank of a value among its nulls is uniform."""
    rng = np.random.default_rng(0)
    x = rng.random((size, 2))
    counts = {name: np.zeros(4, int) for name in names}
    for seed in range(80):
        found = measures(distances=distances_between(x), **draw(rng, x), nulls=3, seed=seed)
        for name in names:
            counts[name][round(4 * found[f"{name}_p"]) - 1] += 1
    for name, count in counts.items():
        assert stats.chisquare(count).pvalue > 1e-3, name
