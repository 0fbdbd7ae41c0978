"""Means with their intervals, by group and along a field."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from service.figures.cloud import Array
from service.report.sweep_data import FEW

LEVEL = 0.95
"""Probability with which an interval holds what it is about."""
LEAST = 3
"""Values below which there is no interval: that of two is 13 standard errors wide to each side."""
POOLED = 8
"""Trials in a range of a field with many values, at least."""
MOST_RANGES = 8


def t_interval(values: Array) -> tuple[float, float]:
    """Student's interval of the mean of independent values [n]; NaN for less than LEAST.

    >>> low, high = t_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    if len(values) < LEAST:
        return np.nan, np.nan
    half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


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
        places = group[x].to_numpy() if each else _ranges(group, x)
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
    low, high = t_interval(counted)
    return {
        "outcome": outcome,
        "mean": counted.mean() if len(counted) else np.nan,
        "low": low,
        "high": high,
        "trials": len(by_trial),
        "networks": len(values),
        "unit": unit,
    }


def _ranges(group: pd.DataFrame, x: str) -> Array:
    """To which of some ranges of `x`, with as many trials each, the rows belong."""
    values = group.groupby("trial")[x].first()
    count = int(np.clip(len(values) // POOLED, 1, MOST_RANGES))
    borders = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(borders, group[x].to_numpy(), side="left")
