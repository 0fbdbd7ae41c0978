"""Rank correlations of fields and outcomes, given what else differs between trials."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from service.figures.cloud import Array
from service.report.intervals import LEVEL
from service.report.sweep_data import is_number


def covariates(rows: pd.DataFrame, names: Sequence[str]) -> Array:
    """Columns [n, K] that stand for the fields `names`: ranks of numbers, yes and no for each other value.

    Only those that tell anything beyond a constant and the columns before them: K is what they use up.
    """
    columns: list[Array] = []
    for name in names:
        values = rows[name]
        if is_number(values):
            columns.append(stats.rankdata(values.fillna(values.median())))
            columns.append(values.isna().to_numpy(float))
        else:
            columns += [(values == one).to_numpy(float) for one in values.dropna().unique()]
    kept = np.ones((len(rows), 1))
    for column in columns:
        wider = np.column_stack([kept, column - column.mean()])
        if np.linalg.matrix_rank(wider) == wider.shape[1]:
            kept = wider
    return kept[:, 1:]


def correlation(x: Array, y: Array, given: Array) -> float:
    """Spearman's rank correlation of x and y [n] or, with columns `given` [n, K], the partial one.

    Partial: Pearson's correlation of what is left of both ranks when their linear dependence on `given` is
    taken out. NaN if nothing is left of one of them.

    >>> x = np.arange(10.0)
    >>> round(correlation(x, x**3, np.empty((10, 0))), 6)
    1.0
    """
    design = np.column_stack([np.ones(len(x)), given])
    ranks = np.column_stack([stats.rankdata(x), stats.rankdata(y)])
    left = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    size = np.sqrt((left**2).sum(0))
    if size.min() <= 1e-9 * len(x):
        return float("nan")
    return float((left[:, 0] * left[:, 1]).sum() / size.prod())


def spearman_interval(rho: float, n: int) -> tuple[float, float]:
    """Interval of a rank correlation of n pairs, by Fisher's z with the variance of Bonett and Wright
    (Psychometrika 65, 2000, doi:10.1007/BF02294183). Of a partial one, n is less the columns it is given.

    >>> low, high = spearman_interval(0.5, 30)
    >>> round(low, 3), round(high, 3)
    (0.148, 0.74)
    """
    bounded = float(np.clip(rho, -1 + 1e-9, 1 - 1e-9))
    half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt((1 + bounded**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(bounded) - half)), float(np.tanh(np.arctanh(bounded) + half))


def p_value(rho: float, n: int) -> float:
    """How often chance gives a rank correlation that far from 0, either way, of n pairs: Student's t.

    >>> round(p_value(0.5, 30), 3), p_value(1.0, 30)
    (0.005, 0.0)
    """
    if np.isnan(rho) or abs(rho) >= 1:
        return float("nan") if np.isnan(rho) else 0.0
    t = abs(rho) * np.sqrt((n - 2) / (1 - rho**2))
    return float(2 * stats.t.sf(t, n - 2))
