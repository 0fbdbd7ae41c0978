"""What a report says first: a sentence an objective, and whether the choice of the best can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from search import Objective
from service.report.correlation import p_value, spearman_interval
from service.report.effects import CLEAR, TOO_FEW, Effect
from service.report.labels import short
from service.report.sweep_data import SweepData
from service.report.uncertainty import as_good_as_front, total_errors

LEAST_COMPARED = 8
"""Trials below which nothing is said of validation and test accuracy together."""


def conclusions(
    sweep_data: SweepData, effects: Sequence[Effect], samples: Mapping[str, int], leading: pd.DataFrame
) -> list[str]:
    """Sentences on each objective, on the front, and on validation and test accuracy.

    Args:
        sweep_data: the sweep.
        effects: of its fields on all outcomes.
        samples: see `samples_of`.
        leading: pruning curves of leading trials, taken where those of all trials were not recorded.
    """
    found = [_objective(sweep_data, one, effects, samples) for one in sweep_data.objectives]
    others = (_front(sweep_data, samples), _choice(sweep_data), _recurrence(sweep_data, leading))
    return [one for one in (*found, *others) if one]


def _objective(
    sweep_data: SweepData, objective: Objective, effects: Sequence[Effect], samples: Mapping[str, int]
) -> str:
    metric = objective.metric
    trials = sweep_data.trials[sweep_data.trials[metric].notna()]
    if trials.empty:
        return ""
    ranked = trials.sort_values(metric, ascending=objective.goal == "min")
    best: Any = ranked.iloc[0]
    error = total_errors(ranked.head(1), metric, samples)[0]
    over = " and ".join(_sources(best, metric, samples))
    doubt = "" if np.isnan(error) else f" ± {error:.2g} (standard error over {over})"
    said = (
        f"{_begun(short(metric))} runs from {trials[metric].min():.4g} to {trials[metric].max():.4g} over "
        f"{len(trials)} trials; the best is {best[metric]:.4g}{doubt}, of trial {best['trial']:g}."
    )
    own = [one for one in effects if one.outcome == metric]
    clear = [_effect(one) for one in own if one.verdict == CLEAR]
    if clear:
        said += f" Clear: it {'; it '.join(clear)}."
    elif any(one.verdict != TOO_FEW for one in own):
        said += " No searched field has a clear effect on it."
    return said


def _sources(row: Any, metric: str, samples: Mapping[str, int]) -> list[str]:
    """What an error is over, in words."""
    seeds = [f"{row['replicates']:g} seeds"] if row[f"{metric}_sem"] == row[f"{metric}_sem"] else []
    return [*seeds, *([f"{samples[metric]} samples"] if metric in samples else [])]


def _effect(one: Effect) -> str:
    if one.is_trend:
        among = f" among {one.among}" if one.among else ""
        return (
            f"{'rises' if one.estimate > 0 else 'falls'} with {one.contrast}{among} (ρ = {one.estimate:+.2f})"
        )
    return f"is {abs(one.estimate):.3g} {'higher' if one.estimate > 0 else 'lower'} with {one.contrast}"


def _front(sweep_data: SweepData, samples: Mapping[str, int]) -> str:
    """How many trials might as well stand on the front."""
    if len(sweep_data.objectives) < 2 or not sweep_data.front:
        return ""
    front = sweep_data.trials[sweep_data.trials["trial"].isin(sweep_data.front)]
    alike = as_good_as_front(sweep_data.trials, front, sweep_data.objectives, samples)
    count, size = len(alike), len(front)
    said = f"{size} trial{'s are' if size > 1 else ' is'} on the Pareto front"
    if not count:
        return (
            f"{said}; every other is certainly worse than one of them in some objective, and in none better "
            "as measured."
        )
    which = ", ".join(map(str, alike[:12])) + (", ..." if count > 12 else "")
    return (
        f"{said}; {count} more can't be told from it, errors considered (trial{'s' * (count > 1)} {which})."
    )


def _choice(sweep_data: SweepData) -> str:
    """Whether validation, by which trials are chosen, tells their test."""
    if not (sweep_data.has("accuracy") and sweep_data.has("test_accuracy")):
        return ""
    known = sweep_data.trials[["trial", "accuracy", "test_accuracy"]].dropna()
    if len(known) < LEAST_COMPARED or known["accuracy"].nunique() < 2 or known["test_accuracy"].nunique() < 2:
        return ""
    rho = float(stats.spearmanr(known["accuracy"], known["test_accuracy"]).statistic)
    low, high = spearman_interval(rho, len(known))
    said = (
        f"Over {len(known)} trials validation and test accuracy go together with ρ = {rho:+.2f} "
        f"({low:+.2f} to {high:+.2f})"
    )
    apart = known["accuracy"] - known["test_accuracy"]
    best = int(known["accuracy"].to_numpy().argmax())
    luck = 100 * (apart.iloc[best] - apart.mean())
    said += (
        f"; for trial {known['trial'].iloc[best]}, the best by validation, validation less test is "
        f"{abs(luck):.1f} points {'more' if luck >= 0 else 'less'} than on average"
    )
    if p_value(rho, len(known)) > 0.05 or rho < 0:
        return f"{said}. Validation does not tell the test here: choose by more seeds (replicates.leaders)."
    return f"{said}{', which is luck' if luck > 0 else ''}."


def _recurrence(sweep_data: SweepData, leading: pd.DataFrame) -> str:
    """What trained networks lose when all their recurrent synapses are taken out: whether they use them."""
    curves = leading if sweep_data.pruning.empty else sweep_data.pruning
    if curves.empty:
        return ""
    means = curves.groupby(["trial", "share"])["accuracy"].mean().unstack()
    if not {0.0, 1.0} <= set(means.columns):
        return ""
    lost = 100 * (means[0.0] - means[1.0]).dropna()
    whose = "leading trials" if sweep_data.pruning.empty else "complete trials"
    return (
        f"Without any of its recurrent synapses a trained network of the {len(lost)} {whose} loses "
        f"{lost.min():.1f} to {lost.max():.1f} points of accuracy on held-out samples."
    )


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
