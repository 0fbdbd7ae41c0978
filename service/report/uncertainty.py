"""How far an accuracy can be trusted: networks differ by their seeds, and samples are drawn, too."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from model.datasets import DataConfig, load_splits
from search import Objective
from service.figures.cloud import Array

CERTAIN = 1.96
"""Standard errors of their difference by which two values must differ to be told apart (5 %)."""


@lru_cache(maxsize=1)
def samples_of(data: DataConfig) -> dict[str, int]:
    """How many samples an accuracy is a share of, by metric; none if the data can't be read from here."""
    try:
        splits = load_splits(data)
    except (OSError, ValueError):
        return {}
    counts = {"accuracy": len(splits.validation), "test_accuracy": len(splits.test or ())}
    return {name: count for name, count in counts.items() if count}


def total_errors(trials: pd.DataFrame, metric: str, samples: Mapping[str, int]) -> Array:
    """Standard error of a metric of each trial [n], over seeds and over samples; NaN where nothing is known.

    Of an accuracy p the error over seeds is that of the mean of its replicates, and that over the n samples
    which all replicates were shown is sqrt(p (1 - p) / n); their squares add up. The replicates' spread has
    some of the second already, so that the sum is on the safe side. Of other metrics it is that over seeds.
    """
    seeds = trials[f"{metric}_sem"].to_numpy(float)
    if metric not in samples:
        return seeds
    p = trials[metric].to_numpy(float)
    errors: Array = np.sqrt(np.nan_to_num(seeds) ** 2 + np.clip(p * (1 - p), 0, None) / samples[metric])
    return errors


def as_good_as_front(
    trials: pd.DataFrame, front: pd.DataFrame, objectives: Sequence[Objective], samples: Mapping[str, int]
) -> list[int]:
    """Trials beside the front that can't be told from it: no trial on it is certainly better in any objective
    and at least as good in all others.

    Args:
        trials: a row a trial, with each objective's metric and that with `_sem`.
        front: those of them on the Pareto front.
        objectives: what is searched for.
        samples: see `samples_of`.
    """
    if front.empty:
        return []
    signs = np.array([1.0 if one.goal == "max" else -1.0 for one in objectives])
    metrics = [one.metric for one in objectives]
    best, error = _values(front, metrics, samples)
    alike = []
    for number, row in trials[~trials["trial"].isin(front["trial"])].iterrows():
        own, own_error = _values(trials.loc[[number]], metrics, samples)
        ahead = signs * (best - own)
        certain = ahead > CERTAIN * np.hypot(error, own_error)
        if not ((ahead >= 0).all(1) & certain.any(1)).any():
            alike.append(int(row["trial"]))
    return alike


def _values(trials: pd.DataFrame, metrics: list[str], samples: Mapping[str, int]) -> tuple[Array, Array]:
    """Values and their errors, [n, objectives] each; an error that is not known counts as none."""
    errors = [np.nan_to_num(total_errors(trials, metric, samples)) for metric in metrics]
    return trials[metrics].to_numpy(float), np.stack(errors, axis=1)
