"""Means with their intervals, by group and along a field."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from service.figures.cloud import Array
from service.report.sweep_data import FEW

LEVEL = 0.95
"""Probability with which an interval holds what it is about."""
LEAST = 5
"""Values below which there is no interval: of fewer it says more about the method than about them."""
RESAMPLES = 10_000
POOLED = 6
"""Trials in a range of a field with many values, at least."""
MOST_RANGES = 8
FILLED_RANGES, FILLED_TRIALS = 3, 3
"""A group has a curve of its own along such a field if it has so many trials in so many of its ranges."""
ALL = "all trials"
"""The one group where groups have too few trials."""


def t_interval(values: Array) -> tuple[float, float]:
    """Student's interval of the mean of independent values [n]; NaN for less than LEAST.

    >>> low, high = t_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> round(low, 3), round(high, 3)
    (1.037, 4.963)
    """
    if len(values) < LEAST:
        return np.nan, np.nan
    half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def mean_interval(values: Array) -> tuple[float, float]:
    """Interval of the mean of independent values [n], for a picture; NaN for less than LEAST.

    The expanded percentile bootstrap (Hesterberg, The American Statistician 69, 2015,
    doi:10.1080/00031305.2015.1089789): quantiles of the means of resamples, further out by as much as
    Student's t is wider than a normal, and as n values vary less than what they are drawn from. It never
    leaves the range of the values, so a share has no interval beyond 0 or 1, and it is skewed as they are.
    The resamples are the same at every call.

    >>> low, high = mean_interval(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
    >>> low, round(high, 2)
    (0.0, 0.67)
    """
    n = len(values)
    if n < LEAST:
        return np.nan, np.nan
    tail = stats.norm.cdf(stats.t.ppf((1 - LEVEL) / 2, n - 1) * np.sqrt(n / (n - 1)))
    low, high = np.quantile(values[_resamples(n)].mean(1), [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=64)
def _resamples(n: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """Which of n values are in each resample [RESAMPLES, n]; fewer of many values, to save memory."""
    return np.random.default_rng(n).integers(0, n, (min(RESAMPLES, max(1_000, 2_000_000 // n)), n))


def along(networks: pd.DataFrame, x: str, outcomes: Sequence[str], each: bool | None = None) -> pd.DataFrame:
    """Mean and interval of each of the `outcomes`, by `group` and along the field `x`.

    What counts as one observation: a trial, by the mean of its replicates, where there are several at a
    place, as its replicates share all other fields; else a replicate. A field with many values is cut into
    ranges with as many trials each.

    each: whether every value of `x` is a place of its own; None: if there are few.

    Returns a row a group, place and outcome: `group`, `x` (the median), `outcome`, `mean`, `low`, `high`,
    `trials`, `networks`, `unit` (what was counted).
    """
    known = networks[networks[x].notna()].reset_index(drop=True)
    if each is None:
        each = known[x].nunique() <= FEW
    rows = []
    for name, group in known.groupby("group", sort=False):
        places = group[x].to_numpy() if each else ranges(group, x)
        for _, cell in group.groupby(places):
            rows += [{"group": name, x: cell[x].median()} | mean_of(cell, outcome) for outcome in outcomes]
    columns = ["group", x, "outcome", "mean", "low", "high", "trials", "networks", "unit"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="mean")


def mean_of(cell: pd.DataFrame, outcome: str) -> dict[str, object]:
    """Mean of an outcome over the networks in `cell`, with its interval, as in `along`."""
    values = cell[["trial", outcome]].dropna()
    by_trial = values.groupby("trial")[outcome].mean().to_numpy()
    unit = "trials" if len(by_trial) > 1 else "replicates"
    counted = by_trial if len(by_trial) > 1 else values[outcome].to_numpy()
    low, high = mean_interval(counted)
    return {
        "outcome": outcome,
        "mean": counted.mean() if len(counted) else np.nan,
        "low": low,
        "high": high,
        "trials": len(by_trial),
        "networks": len(values),
        "unit": unit,
    }


def pooled_where_thin(networks: pd.DataFrame, x: str | None) -> pd.DataFrame:
    """The networks with their groups, or all in one group where a curve a group along `x` would be guesswork.

    That is where `x` has many values, and not every group has FILLED_TRIALS trials in FILLED_RANGES of the
    ranges of all trials. Where few values are on the axis, someone has chosen what to compare.
    """
    if x is None or networks["group"].nunique() < 2 or networks[x].nunique() <= FEW:
        return networks
    known = networks[networks[x].notna()]
    filled = known.groupby(["group", ranges(known, x)])["trial"].nunique() >= FILLED_TRIALS
    enough = filled.groupby(level=0).sum().reindex(networks["group"].unique(), fill_value=0) >= FILLED_RANGES
    return networks if enough.all() else networks.assign(group=ALL)


def ranges(group: pd.DataFrame, x: str) -> Array:
    """To which of some ranges of `x`, with as many trials each, the rows belong."""
    values = group.groupby("trial")[x].first()
    count = int(np.clip(len(values) // POOLED, 1, MOST_RANGES))
    borders = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(borders, group[x].to_numpy(), side="left")
