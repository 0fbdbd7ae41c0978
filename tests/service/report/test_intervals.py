import numpy as np
import pandas as pd
import pytest
from scipy import stats

from service.report.intervals import ALL, along, mean_interval, pooled_where_thin, t_interval


def _retention(trials: int, replicates: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    rows = [
        {"trial": t, "replicate": r, "group": "ab"[t % 2], "x": float(t // 4), "y": draw.normal()}
        for t in range(trials)
        for r in range(replicates)
    ]
    return pd.DataFrame(rows)


def test_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).normal(size=7)
    expected = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    assert t_interval(values) == pytest.approx(expected)
    assert np.isnan(t_interval(values[:4])).all()


@pytest.mark.parametrize("kind", ["normal", "share"])
def test_intervals_of_means_stay_within_the_values_and_hold_the_truth(kind: str) -> None:
    missed = 0
    for seed in range(400):
        draw = np.random.default_rng(seed)
        values = draw.normal(size=8) if kind == "normal" else draw.beta(2, 6, size=8)
        low, high = mean_interval(values)
        assert values.min() <= low <= values.mean() <= high <= values.max()
        missed += not low <= (0 if kind == "normal" else 0.25) <= high
    assert 4 <= missed <= 36  # 20 of 400 on average
    assert np.isnan(mean_interval(np.arange(4.0))).all()


def test_groups_have_curves_of_their_own_only_where_they_are_filled() -> None:
    draw = np.random.default_rng(1)
    kinds = ["a"] * 20 + ["b"] * 20
    networks = pd.DataFrame({"trial": range(40), "group": kinds, "x": draw.uniform(size=40), "y": 1.0})
    assert pooled_where_thin(networks, "x") is networks
    few = networks.assign(group=["a"] * 37 + ["b"] * 3)
    assert set(pooled_where_thin(few, "x")["group"]) == {ALL}
    assert pooled_where_thin(few.assign(x=few["trial"] % 4), "x")["group"].nunique() == 2
    assert pooled_where_thin(few, None) is few


def test_trials_are_counted_where_there_are_several_else_replicates() -> None:
    networks = _retention(8, 6)  # two trials a group and place
    networks = networks[(networks["x"] < 1) | (networks["trial"].isin([4, 5]))]  # one at the second place
    found = {(row["group"], row["x"]): row for row in along(networks, "x", ["y"]).to_dict("records")}
    two = networks[networks["trial"].isin([0, 2])].groupby("trial")["y"].mean()
    first, second = found["a", 0.0], found["b", 1.0]
    assert first["mean"] == pytest.approx(two.mean())
    assert (first["trials"], first["networks"], first["unit"]) == (2, 12, "trials")
    one = networks.loc[networks["trial"] == 5, "y"].to_numpy()
    assert (second["mean"], second["low"], second["high"]) == pytest.approx((one.mean(), *mean_interval(one)))
    assert second["unit"] == "replicates"


def test_many_values_are_cut_into_ranges_with_as_many_trials_each() -> None:
    draw = np.random.default_rng(3)
    networks = pd.DataFrame({"trial": range(90), "group": "all", "x": draw.uniform(size=90), "y": 1.0})
    found = along(networks, "x", ["y"])
    assert len(found) == 8 and found["trials"].sum() == 90
    assert found["trials"].between(11, 12).all()
    assert found["x"].is_monotonic_increasing
    assert len(along(networks, "x", ["y"], each=True)) == 90


def test_what_has_no_value_is_left_out() -> None:
    networks = _retention(8, 2).assign(z=np.nan)
    networks.loc[networks["trial"] == 0, "y"] = np.nan
    found = along(networks, "x", ["y", "z"])
    assert set(found["outcome"]) == {"y"}
    assert found.set_index(["group", "x"]).loc[("a", 0.0), "trials"] == 1
