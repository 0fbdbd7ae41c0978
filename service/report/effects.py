"""What the searched fields do to the outcomes, in words, each with its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from service.figures.cloud import Array
from service.report.correlation import correlation, covariates, p_value, spearman_interval
from service.report.intervals import LEAST, LEVEL, t_interval
from service.report.labels import short
from service.report.sweep_data import as_text, is_number, words

MOST_LEVELS = 6
"""A field with more values is a trend, not a choice."""
CLEAR, UNCLEAR, CONSTANT, TOO_FEW = "clear", "not clear", "constant", "too few to tell"
SPEARMAN, PARTIAL = "Spearman", "partial Spearman"
LEAST_FOR_TREND = 8
"""Observations, beyond those that other fields use up, below which nothing is said of a trend."""
FALSE_DISCOVERIES = 0.05
"""Share of the effects called clear that may be none, on average."""


@dataclass(frozen=True)
class Effect:
    """One comparison. `low`, `high` and `p` are NaN where there is too little to tell."""

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
    p: float = np.nan
    """How often chance alone gives as much, if there is no effect."""
    q: float = np.nan
    """The least share of false discoveries at which it is one, among all that were compared."""
    constant: bool = False
    """Whether there are enough observations, and the outcome is the same in all of them."""

    @property
    def verdict(self) -> str:
        """Clear, if it is a discovery among all comparisons; not clear; constant; or too few to tell."""
        if self.constant:
            return CONSTANT
        if np.isnan(self.low):
            return TOO_FEW
        return CLEAR if self.q <= FALSE_DISCOVERIES else UNCLEAR

    @property
    def is_trend(self) -> bool:
        """Whether it is about a number, and not about two values."""
        return self.method in (SPEARMAN, PARTIAL)


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

    A choice is compared level by level: paired, where LEAST trials or more of the one level have a partner
    of the other with the same values in all other fields, and else by Welch's unequal variances. A number is
    a trend: Spearman's rank correlation, for each group by itself where all have LEAST_FOR_TREND trials, else
    over all trials, given their groups and, as far as there are trials enough, all other fields. One
    observation is a trial, by the mean of its replicates; only where no other field varies it is a replicate.

    Which effects are clear is decided for all of them together, by the false discovery rate (Benjamini and
    Hochberg, Journal of the Royal Statistical Society B 57, 1995), for of many comparisons some seem clear by
    chance. Intervals stand by themselves, at 95 % each.

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
    return _discovered(found)


def _discovered(found: list[Effect]) -> list[Effect]:
    """The effects with their `q`, over all that could be compared."""
    told = [k for k, one in enumerate(found) if not (one.constant or np.isnan(one.p))]
    if told:
        rates = stats.false_discovery_control([found[k].p for k in told])
        for k, rate in zip(told, rates.tolist(), strict=True):
            found[k] = replace(found[k], q=rate)
    return found


def _trends(known: pd.DataFrame, field: str, outcome: str, others: Sequence[str]) -> Iterator[Effect]:
    varied = [group for _, group in known.groupby("group", sort=False) if group[field].nunique() > 1]
    if len(varied) > 1 and min(group["trial"].nunique() for group in varied) < LEAST_FOR_TREND:
        yield _trend(pd.concat(varied), field, outcome, others, "")
        return
    for group in varied:
        among = "" if known["group"].nunique() == 1 else str(group["group"].iloc[0])
        yield _trend(group, field, outcome, others, among)


def _trend(known: pd.DataFrame, field: str, outcome: str, others: Sequence[str], among: str) -> Effect:
    """Rank correlation of one number with an outcome, given what else differs."""
    rows, unit = _observations(known, outcome, [field, "group", *others], others)
    x, y = rows[field].to_numpy(float), rows[outcome].to_numpy(float)
    given = covariates(rows, [*others, "group"])
    if len(x) - given.shape[1] < LEAST_FOR_TREND:
        given = covariates(rows, ["group"])
    used = given.shape[1]
    rho = low = high = p = np.nan
    enough = len(x) - used >= LEAST_FOR_TREND
    constant = enough and _is_constant(y)
    if enough and not constant:
        rho = correlation(x, y, given)
        low, high = spearman_interval(rho, len(x) - used)
        p = p_value(rho, len(x) - used)
    method, n = (PARTIAL if used else SPEARMAN), f"{len(x)} {unit}"
    return Effect(field, outcome, among, short(field), method, rho, low, high, n, p, constant=constant)


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
            p = _certain(paired.mean()) if _is_constant(paired) else stats.ttest_1samp(paired, 0).pvalue
            yield Effect(field, outcome, "", contrast, method, paired.mean(), low, high, n, float(p))
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
    low = high = p = np.nan
    enough = min(map(len, values)) >= LEAST
    constant = enough and _is_constant(np.concatenate(values))
    if enough and all(map(_is_constant, values)):
        low = high = estimate  # nothing varies but from the one to the other: there is no doubt about it
        p = _certain(estimate)
    elif enough:
        found = stats.ttest_ind(*values, equal_var=False)
        interval, p = found.confidence_interval(LEVEL), float(found.pvalue)
        low, high = float(interval.low), float(interval.high)
    return Effect(field, outcome, "", contrast, "Welch's t", estimate, low, high, n, p, constant=constant)


def _certain(estimate: float) -> float:
    """The p of a difference that does not vary."""
    return 0.0 if estimate else 1.0


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
