"""What a search has reached: the Pareto front, or with one objective the best so far."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from search import Objective
from service.figures.style import COLOURS, INK, MUTED, new_figure, plain

MOST_NUMBERS = 25
"""Trials of the front that are named."""


def draw_front(
    trials: pd.DataFrame,
    front: Collection[int],
    objectives: Sequence[Objective],
    label: Callable[[str], str],
    log: Collection[str] = (),
    alike: Collection[int] = (),
) -> Figure:
    """Two objectives or more: each against the first, the front in colour with its errors.

    Args:
        trials: a row a trial: `trial`, and for each objective its metric and that with `_error`.
        front: the trials on the Pareto front.
        objectives: two or more.
        label: names axes.
        log: metrics with a logarithmic axis.
        alike: trials beside the front that can't be told from it.
    """
    first, others = objectives[0], objectives[1:]
    figure = new_figure(7.6 if len(others) == 1 else 4.6 * len(others), 4.8)
    best = trials[trials["trial"].isin(front)]
    for axes, other in zip(figure.subplots(1, len(others), squeeze=False)[0], others, strict=True):
        rest = trials.drop(best.index)
        near = rest["trial"].isin(alike)
        for rows, look, name in (
            (rest[~near], {"color": "#BBBBBB"}, "other trials"),
            (rest[near], {"color": COLOURS[0], "markerfacecolor": "none"}, "not to be told from the front"),
        ):
            if len(rows):
                axes.plot(rows[other.metric], rows[first.metric], "o", **look, markersize=4, label=name)
        steps: Literal["pre", "post"] | None = "post" if other.goal == "min" else "pre"
        if len(others) > 1:
            steps = None
        _draw_best(axes, best.sort_values(other.metric), other.metric, first.metric, steps)
        for metric, scale in ((other.metric, axes.set_xscale), (first.metric, axes.set_yscale)):
            if metric in log:
                scale("log")
        lowest = axes.get_ylim()[0]
        cut = f"\n(axis starts at {lowest:.3g})" if lowest > 0 and first.metric not in log else ""
        axes.set(
            xlabel=f"{label(other.metric)}, {_wanted(other)}",
            ylabel=f"{label(first.metric)}, {_wanted(first)}{cut}",
        )
        plain(axes)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False, labelcolor=INK
    )
    return figure


def draw_best_so_far(trials: pd.DataFrame, objective: Objective, label: Callable[[str], str]) -> Figure:
    """One objective: each trial in order, and the best until then.

    Args:
        trials: a row a trial: `trial`, the objective's metric and that with `_sem`.
        objective: what is searched for.
        label: names axes.
    """
    figure = new_figure(7.6, 4.2)
    axes = figure.add_subplot()
    ordered = trials.sort_values("trial")
    values = ordered[objective.metric]
    axes.errorbar(
        ordered["trial"],
        values,
        ordered[f"{objective.metric}_sem"].fillna(0),
        **_dot("#BBBBBB"),
        label="trials",
    )
    best = values.cummax() if objective.goal == "max" else values.cummin()
    axes.step(ordered["trial"], best, where="post", color=COLOURS[0], linewidth=1.8, label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial", ylabel=f"{label(objective.metric)}, {_wanted(objective)}")
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    plain(axes)
    return figure


def _draw_best(axes: Any, best: pd.DataFrame, x: str, y: str, steps: Literal["pre", "post"] | None) -> None:
    """The front; with two objectives in steps, for between its trials there is nothing but the worse one."""
    if steps:
        axes.step(best[x], best[y], where=steps, color=COLOURS[0], linewidth=1, alpha=0.5)
    errors = [best[f"{name}_error"] for name in (y, x)]
    axes.errorbar(best[x], best[y], *errors, **_dot(COLOURS[0]), label="Pareto front")
    if len(best) <= MOST_NUMBERS:
        for n, (_, row) in enumerate(best.iterrows()):
            above = 6 if n % 2 else -12
            axes.annotate(
                f"{row['trial']:g}",
                (row[x], row[y]),
                xytext=(3, above),
                textcoords="offset points",
                fontsize=8,
                color=MUTED,
            )


def _dot(colour: str) -> dict[str, Any]:
    return {"linestyle": "none", "marker": "o", "markersize": 5, "color": colour, "elinewidth": 0.8}


def _wanted(objective: Objective) -> str:
    return "more is better" if objective.goal == "max" else "less is better"
