"""What the searched fields do to the outcomes, in words, each with its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from service.figures.cloud import Array
from service.report.intervals import LEAST, LEVEL, t_interval
from service.report.labels import short
from service.report.sweep_data import as_text, is_number, words

MOST_LEVELS = 6
"""A field with more values is a trend, not a choice."""
CLEAR, UNCLEAR, CONSTANT, TOO_FEW = "clear", "not clear", "constant", "too few to tell"
SPEARMAN = "Spearman"
LEAST_FOR_TREND = 8
"""Observations below which nothing is said of a trend."""


@dataclass(frozen=True)
class Effect:
    """One comparison. `low` and `high` are NaN where there is too little to tell."""

    field: str
    outcome: str
    among: str
    """Which trials were compared."""
    contrast: str
    """What with what."""
    method: str
    estimate: float
    low: float
    high: float
    n: str
    """How many observations of what."""
    constant: bool = False
    """Whether there are enough observations, and the outcome is the same in all of them."""

    @property
    def verdict(self) -> str:
        """Clear, if the interval leaves zero out; not clear; constant; or too few to tell."""
        if self.constant:
            return CONSTANT
        if np.isnan(self.low):
            return TOO_FEW
        return CLEAR if self.low > 0 or self.high < 0 else UNCLEAR

    @property
    def is_trend(self) -> bool:
        """Whether it is about a number, and not about two values."""
        return self.method == SPEARMAN


def in_words(effects: Sequence[Effect]) -> list[str]:
    """Effects on one outcome, all of one verdict; trends of one field that go one way share a line."""
    lines: dict[str, list[str]] = {}
    for one in effects:
        among = f" among {one.among}" if one.among else ""
        interval = f"{_signed(one.low)} to {_signed(one.high)}"
        if one.verdict == CONSTANT:
            lines.setdefault(f"{one.contrast}: the same in all", []).append(f"n = {one.n}{among}")
        elif one.verdict == TOO_FEW:
            lines.setdefault(f"{one.contrast}: too few to tell", []).append(f"{one.n}{among}")
        elif one.is_trend:
            way = "no clear trend" if one.verdict == UNCLEAR else "rises" if one.estimate > 0 else "falls"
            said = f"ρ = {_signed(one.estimate)} ({interval}, n = {one.n}){among}"
            lines.setdefault(f"{way} with {one.contrast}", []).append(said)
        else:
            way = (
                "no clear difference" if one.verdict == UNCLEAR else "higher" if one.estimate > 0 else "lower"
            )
            said = f"{_signed(one.estimate)} ({interval}; {one.method}, n = {one.n})"
            lines.setdefault(f"{way} with {one.contrast}", []).append(said)
    return [f"{head}: {'; '.join(parts)}" for head, parts in lines.items()]


def find_effects(
    networks: pd.DataFrame, fields: Sequence[str], outcomes: Sequence[str], grouped_by: Sequence[str]
) -> list[Effect]:
    """Every field against every outcome.

    A choice is compared level by level: paired, where three or more trials of the one level have a partner
    of the other with the same values in all other fields, and else by Welch's unequal variances. A number is
    a trend: Spearman's rank correlation with the interval of Bonett and Wright (Psychometrika 65, 2000,
    doi:10.1007/BF02294183), for each group by itself. One observation is a trial, by the mean of its
    replicates; only where no other field varies it is a replicate.

    Args:
        networks: a row a trial and replicate, with `trial`, `group`, fields and outcomes.
        fields: searched fields that vary.
        outcomes: columns of what was measured.
        grouped_by: the fields that groups are made of.
    """
    found: list[Effect] = []
    for outcome in outcomes:
        for field in fields:
            trend = is_number(networks[field]) and field not in grouped_by
            known = networks[networks[field].notna() & networks[outcome].notna()]
            compare = _trends if trend else _differences
            found += compare(known, field, outcome, [other for other in fields if other != field])
    return found


def _trends(known: pd.DataFrame, field: str, outcome: str, others: Sequence[str]) -> Iterator[Effect]:
    for name, group in known.groupby("group", sort=False):
        rows, unit = _observations(group, outcome, [field], others)
        x, y = rows[field].to_numpy(float), rows[outcome].to_numpy(float)
        if len(np.unique(x)) < 2:
            continue
        rho = low = high = np.nan
        constant = len(x) >= LEAST_FOR_TREND and _is_constant(y)
        if len(x) >= LEAST_FOR_TREND and not constant:
            rho = float(stats.spearmanr(x, y).statistic)
            low, high = spearman_interval(rho, len(x))
        among = "" if known["group"].nunique() == 1 else str(name)
        yield Effect(
            field, outcome, among, short(field), SPEARMAN, rho, low, high, f"{len(x)} {unit}", constant
        )


def spearman_interval(rho: float, n: int) -> tuple[float, float]:
    """Interval of a rank correlation of n pairs, by Fisher's z with the variance of Bonett and Wright.

    >>> low, high = spearman_interval(0.5, 30)
    >>> round(low, 3), round(high, 3)
    (0.148, 0.74)
    """
    bounded = float(np.clip(rho, -1 + 1e-9, 1 - 1e-9))
    half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt((1 + bounded**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(bounded) - half)), float(np.tanh(np.arctanh(bounded) + half))


def _differences(known: pd.DataFrame, field: str, outcome: str, others: Sequence[str]) -> Iterator[Effect]:
    levels = sorted(known[field].unique(), key=str)
    if not 2 <= len(levels) <= MOST_LEVELS:
        return
    for one, other in combinations(levels, 2):
        first, second = known[known[field] == one], known[known[field] == other]
        contrast = f"{words(field, one)} instead of {as_text(other)}"
        paired = _paired(first, second, outcome, others)
        if paired is not None:
            low, high = t_interval(paired)
            method, n = "paired t", f"{len(paired)} pairs of trials"
            yield Effect(field, outcome, "", contrast, method, paired.mean(), low, high, n)
        else:
            yield _welch(field, outcome, contrast, first, second, others)


def _paired(first: pd.DataFrame, second: pd.DataFrame, outcome: str, others: Sequence[str]) -> Array | None:
    """Differences of trials that are alike but for the field, or None if there are too few.

    A field that one of the two levels does not have can't be the same in both, and is passed over.
    """
    shared = [name for name in others if first[name].notna().any() and second[name].notna().any()]
    if not shared:
        return None
    means = [rows.groupby(shared, dropna=False)[outcome].mean() for rows in (first, second)]
    pairs = pd.concat(means, axis=1, join="inner")
    difference = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    return difference if len(pairs) >= LEAST and not _is_constant(pairs.to_numpy()) else None


def _welch(
    field: str, outcome: str, contrast: str, first: pd.DataFrame, second: pd.DataFrame, others: Sequence[str]
) -> Effect:
    both = [_observations(rows, outcome, [field], others) for rows in (first, second)]
    values = [rows[outcome].to_numpy(float) for rows, _ in both]
    units = {unit for _, unit in both}
    if len(units) > 1:  # the one level has one trial, the other several: trials are what both have
        values = [rows.groupby("trial")[outcome].mean().to_numpy() for rows in (first, second)]
    n = f"{len(values[0])} and {len(values[1])} {'trials' if len(units) > 1 else units.pop()}"
    estimate = float(values[0].mean() - values[1].mean())
    low = high = np.nan
    enough = min(map(len, values)) >= LEAST
    constant = enough and _is_constant(np.concatenate(values))
    if enough and all(map(_is_constant, values)):
        low = high = estimate  # nothing varies but from the one to the other: there is no doubt about it
    elif enough:
        interval = stats.ttest_ind(*values, equal_var=False).confidence_interval(LEVEL)
        low, high = float(interval.low), float(interval.high)
    return Effect(field, outcome, "", contrast, "Welch's t", estimate, low, high, n, constant)


def _is_constant(values: Array) -> bool:
    """Whether all values are the same, but for what rounding of their means may do."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _observations(
    rows: pd.DataFrame, outcome: str, kept: Sequence[str], others: Sequence[str]
) -> tuple[pd.DataFrame, str]:
    """What is counted, and its name: replicates where no other field varies, else trials."""
    if all(rows[name].nunique(dropna=False) <= 1 for name in others):
        return rows, "replicates"
    how = dict.fromkeys(kept, "first") | {outcome: "mean"}
    return rows.groupby("trial", as_index=False).agg(how), "trials"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
