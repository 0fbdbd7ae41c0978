import numpy as np
import pandas as pd
import pytest
from scipy import stats

from service.report.correlation import correlation, covariates, p_value, spearman_interval
from service.report.effects import Effect, find_effects, in_words


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows).assign(group="all trials")


def _choice(difference: float, seed: int, paired: bool, n: int = 8) -> pd.DataFrame:
    """Trials of two kinds; the field `other` shifts them, and is shared by a pair or not."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for k in range(2 * n):
        kind = "ab"[k % 2]
        shift = 10.0 * (k // 2) if paired else 0.0
        level = k // 2 if paired else k
        rows.append(
            {
                "trial": k,
                "kind": kind,
                "other": level,
                "y": shift + difference * (kind == "a") + draw.normal(),
            }
        )
    return _frame(rows)


def _one(networks: pd.DataFrame, field: str = "kind", fields: tuple[str, ...] = ("kind", "other")) -> Effect:
    found = find_effects(networks, fields, ["y"], ["kind"])
    return next(effect for effect in found if effect.field == field)


def test_partners_are_compared_in_pairs() -> None:
    networks = _choice(3.0, 0, paired=True)
    effect = _one(networks)
    wide = networks.pivot(index="other", columns="kind", values="y")
    difference = wide["a"] - wide["b"]
    assert effect.method == "paired t" and effect.n == "8 pairs of trials"
    assert effect.estimate == pytest.approx(difference.mean())
    half = 2.364624 * difference.std() / np.sqrt(8)  # Student's t of 7 degrees of freedom
    assert (effect.low, effect.high) == pytest.approx(
        (effect.estimate - half, effect.estimate + half), rel=1e-5
    )
    assert effect.verdict == "clear"


def test_without_partners_by_welch() -> None:
    networks = _choice(0.5, 1, paired=False, n=12)
    networks.loc[networks["kind"] == "b", "y"] *= 4
    effect = _one(networks)
    a, b = (networks.loc[networks["kind"] == kind, "y"] for kind in "ab")
    va, vb = a.var() / 12, b.var() / 12
    assert effect.method == "Welch's t" and effect.n == "12 and 12 trials"
    # Welch and Satterthwaite's degrees of freedom lie between 11 and 22: t between 2.074 and 2.201.
    half = (effect.high - effect.low) / 2
    assert 2.074 < half / np.sqrt(va + vb) < 2.201
    assert effect.estimate == pytest.approx(a.mean() - b.mean())


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_hold_the_truth_as_often_as_they_say(paired: bool) -> None:
    missed = 0
    for seed in range(200):
        effect = _one(_choice(1.0, seed, paired))
        missed += not effect.low <= 1.0 <= effect.high
    assert 2 <= missed <= 20  # 10 of 200 on average; beyond these bounds about twice in 1,000 times


def test_trends_by_group_with_intervals_that_hold() -> None:
    missed = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        networks = _frame([{"trial": t, "cost": draw.normal(), "y": draw.normal()} for t in range(30)])
        effect = _one(networks, "cost", ("cost",))
        missed += not effect.low <= 0 <= effect.high
    assert 2 <= missed <= 20
    networks["y"] = -(networks["cost"] ** 3)
    effect = _one(networks, "cost", ("cost",))
    assert effect.estimate == pytest.approx(-1) and effect.verdict == "clear"
    low, high = spearman_interval(1.0, 10)
    assert 0.99 < low <= high <= 1


def test_replicates_count_only_where_nothing_else_varies() -> None:
    draw = np.random.default_rng(4)
    rows: list[dict[str, object]] = [
        {"trial": t, "replicate": r, "kind": "ab"[t], "other": 0, "y": draw.normal()}
        for t in range(2)
        for r in range(5)
    ]
    assert _one(_frame(rows), fields=("kind",)).n == "5 and 5 replicates"
    spread = [row | {"trial": k, "other": k} for k, row in enumerate(rows)]
    assert _one(_frame(spread)).n == "5 and 5 trials"


def test_partial_correlations_are_those_of_residuals_of_ranks() -> None:
    draw = np.random.default_rng(7)
    z = draw.normal(size=40)
    x, y = z + 0.3 * draw.normal(size=40), z + 0.3 * draw.normal(size=40)
    rows = pd.DataFrame({"z": z, "same": 1.0, "kind": ["a", "b"] * 20})
    given = covariates(rows, ["z", "same", "kind"])
    assert given.shape == (40, 2)  # what is constant tells nothing
    rank = np.column_stack([np.ones(40), stats.rankdata(z), rows["kind"] == "a"])
    left = [v - rank @ np.linalg.pinv(rank) @ v for v in (stats.rankdata(x), stats.rankdata(y))]
    assert correlation(x, y, given) == pytest.approx(stats.pearsonr(*left).statistic)
    plain = correlation(x, y, np.empty((40, 0)))
    expected = stats.spearmanr(x, y)
    assert (plain, p_value(plain, 40)) == pytest.approx((expected.statistic, expected.pvalue))
    assert np.isnan(correlation(z, y, covariates(rows, ["z"])))


def test_what_goes_together_by_a_third_is_no_trend() -> None:
    """The field `other` drives both; over all trials, given it, nothing is left."""
    missed = 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        other = draw.normal(size=24)
        cost, y = other + 0.5 * draw.normal(size=24), other + 0.5 * draw.normal(size=24)
        networks = pd.DataFrame({"trial": range(24), "cost": cost, "other": other, "y": y})
        networks["group"] = [f"dimensions {k % 4}" for k in range(24)]  # six trials each: too few alone
        effect = next(e for e in find_effects(networks, ("cost", "other"), ["y"], []) if e.field == "cost")
        assert effect.method == "partial Spearman" and effect.n == "24 trials"
        missed += not effect.low <= 0 <= effect.high
    assert missed <= 14  # 5 of 100 on average


def test_of_many_comparisons_few_are_called_clear_by_chance() -> None:
    draw = np.random.default_rng(8)
    names = [f"y{k}" for k in range(200)]
    networks = _frame([{"trial": t, "cost": draw.normal()} for t in range(20)])
    networks = networks.join(pd.DataFrame(draw.normal(size=(20, 200)), columns=names))
    effects = find_effects(networks, ("cost",), names, [])
    alone = sum(one.low > 0 or one.high < 0 for one in effects)
    assert alone >= 3 and not any(one.verdict == "clear" for one in effects)
    networks["y0"] = networks["cost"]
    effects = find_effects(networks, ("cost",), names, [])
    assert [one.outcome for one in effects if one.verdict == "clear"] == ["y0"]
    expected = stats.false_discovery_control([one.p for one in effects])
    np.testing.assert_allclose([one.q for one in effects], expected)


def test_too_few_tell_nothing() -> None:
    few = _one(_choice(5.0, 0, paired=False, n=4))
    assert few.verdict == "too few to tell" and np.isnan(few.low)
    alike = _choice(0.0, 0, paired=False, n=2).assign(y=1.0)
    assert _one(alike).verdict == "too few to tell"


@pytest.mark.parametrize("paired", [True, False])
def test_an_outcome_that_is_always_the_same_is_constant(paired: bool) -> None:
    # Means of replicates that are 0.1 each: the last digit depends on how many there are.
    equal = _choice(0.0, 0, paired=paired).assign(y=[0.1, 0.30000000000000004 / 3] * 8)
    effect = _one(equal)
    assert (effect.verdict, effect.n) == ("constant", "8 and 8 trials")
    assert in_words([effect]) == ["kind a instead of b: the same in all: n = 8 and 8 trials"]
    trend = _one(equal.assign(cost=range(16)), "cost", ("kind", "cost"))
    assert (trend.verdict, trend.n) == ("constant", "16 trials")
    assert in_words([trend]) == ["cost: the same in all: n = 16 trials"]


def test_what_differs_by_the_same_everywhere_is_clear() -> None:
    """No spread at all is no lack of observations: the interval has no width."""
    kinds = _choice(0.0, 0, paired=False)
    apart = _one(kinds.assign(y=(kinds["kind"] == "a") * 2.0))
    assert (apart.method, apart.verdict) == ("Welch's t", "clear")
    assert (apart.estimate, apart.low, apart.high) == (2.0, 2.0, 2.0)
    kinds = _choice(0.0, 0, paired=True)
    pairs = _one(kinds.assign(y=kinds["other"] + (kinds["kind"] == "a") * 2.0))
    assert (pairs.method, pairs.verdict) == ("paired t", "clear")
    assert (pairs.estimate, pairs.low, pairs.high) == (2.0, 2.0, 2.0)
    none = _one(kinds.assign(y=1.0 * kinds["other"]))
    assert (none.estimate, none.low, none.high, none.verdict) == (0.0, 0.0, 0.0, "not clear")


def test_a_field_of_one_level_alone_does_not_keep_pairs_apart() -> None:
    """Dimensions exist in space only: the trials in space are averaged over them."""
    draw = np.random.default_rng(5)
    rows: list[dict[str, object]] = []
    for cost in range(5):
        for kind, dimensions in (("space", 1), ("space", 2), ("free", None)):
            y = 10.0 * cost + (kind == "space") + 0.01 * draw.normal()
            rows.append({"trial": len(rows), "kind": kind, "dimensions": dimensions, "cost": cost, "y": y})
    effect = _one(_frame(rows), fields=("kind", "dimensions", "cost"))
    assert effect.method == "paired t" and effect.n == "5 pairs of trials"
    assert effect.estimate == pytest.approx(-1, abs=0.03)  # free instead of space


def test_words() -> None:
    def effect(**changes: object) -> Effect:
        values = {"field": "wiring_cost", "outcome": "accuracy", "among": "embedding space", "n": "9 trials"}
        values |= {"contrast": "wiring cost", "method": "Spearman"}
        numbers = {"estimate": -0.5, "low": -0.8, "high": -0.1, "q": 0.01}
        return Effect(**(values | numbers | changes))  # type: ignore[arg-type]

    trends = [effect(), effect(among="embedding free", estimate=-0.25, low=-0.5, high=-0.01)]
    assert in_words(trends) == [
        "falls with wiring cost: ρ = −0.5 (−0.8 to −0.1, n = 9 trials) among embedding space; "
        "ρ = −0.25 (−0.5 to −0.01, n = 9 trials) among embedding free"
    ]
    nothing = effect(high=0.1, q=0.2)
    assert in_words([nothing])[0].startswith("no clear trend with wiring cost: ")
    choice = effect(method="paired t", among="", contrast="a instead of b", estimate=0.5, low=0.25, high=0.75)
    assert in_words([choice]) == ["higher with a instead of b: +0.5 (+0.25 to +0.75; paired t, n = 9 trials)"]
    assert in_words([effect(low=np.nan)]) == ["wiring cost: too few to tell: 9 trials among embedding space"]
