"""How outcomes change along a field, in training, and with size, by group of trials."""

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from service.figures.cloud import Array
from service.figures.style import COLOURS, INK, MARKERS, new_figure, plain

COLUMNS = 3
DODGE = 0.5
"""Share of the room between two places in which groups stand side by side, so that bars do not overlap."""
LONGEST = 30
"""Letters in a line beside a picture."""
LETTER, HANDLE = 0.08, 0.7
"""Room that a letter and a handle take in a legend (inches)."""

Label = Callable[[str], str]
"""What stands on the axis of a column."""


def draw_curves(
    means: pd.DataFrame,
    points: pd.DataFrame,
    x: str,
    outcomes: Sequence[str],
    groups: Sequence[str],
    label: Label,
    log: bool,
    ticks: Sequence[float] | None,
) -> Figure:
    """Means with intervals along a field: a small picture an outcome, a line a group.

    Args:
        means: rows of `group`, `x`, `outcome`, `mean`, `low`, `high`; a group that is none of `groups`, such
            as that of all trials, is drawn in black.
        points: a row a trial: `group`, `x` and the outcomes; drawn faint where values are pooled.
        x: column along the axis.
        outcomes: what is shown.
        groups: all groups, in the order of their colours.
        label: names axes.
        log: whether the axis is logarithmic.
        ticks: the values of `x` if they are few: they stand at equal distances; None: a scale.
    """
    figure, panels = _panels(len(outcomes), groups)
    curved = set(means["group"])
    for axes, outcome in zip(panels, outcomes, strict=False):
        for k, group in enumerate(groups):
            if ticks is None:
                own = points[points["group"] == group]
                alpha = 0.3 if group in curved else 0.75  # where dots alone tell groups apart
                axes.plot(own[x], own[outcome], **_dots(k), markersize=3.5, alpha=alpha, markeredgewidth=0)
            rows = _rows(means, group, outcome, x)
            _draw_means(axes, _places(rows[x].to_numpy(), k, len(groups), ticks), rows, _dots(k))
        for group in curved.difference(groups):
            rows = _rows(means, group, outcome, x)
            _draw_means(axes, rows[x].to_numpy(), rows, {"marker": "o", "color": INK})
        _keep_possible(axes, points[outcome])
        axes.set(xlabel=label(x), ylabel=_wrapped(label(outcome)))
        if ticks is not None:
            axes.set_xticks(range(len(ticks)), [f"{tick:g}" for tick in ticks])
        elif log:
            axes.set_xscale("log")
    return figure


def draw_bands(
    means: pd.DataFrame,
    x: str,
    outcomes: Sequence[str],
    groups: Sequence[str],
    label: Label,
    same_scale: bool = False,
) -> Figure:
    """Means along a course, a line a group with its interval as a band.

    Args:
        means: rows of `group`, `x`, `outcome`, `mean`, `low`, `high`.
        x: column along the axis.
        outcomes: what is shown.
        groups: all groups, in the order of their colours.
        label: names axes.
        same_scale: whether all outcomes have the same axis, to be compared.
    """
    figure, panels = _panels(len(outcomes), groups)
    for axes, outcome in zip(panels, outcomes, strict=False):
        for k, group in enumerate(groups):
            rows, colour = _rows(means, group, outcome, x), _colour(k)
            axes.plot(rows[x], rows["mean"], color=colour, linewidth=1.6)
            axes.plot(rows[x].iloc[-1:], rows["mean"].iloc[-1:], **_dots(k), markersize=5)
            band = {"color": colour, "alpha": 0.2, "linewidth": 0}
            axes.fill_between(rows[x], rows["low"], rows["high"], **band)
        axes.set(xlabel=label(x), ylabel=_wrapped(label(outcome)))
        if same_scale and axes is not panels[0]:
            axes.sharey(panels[0])
    return figure


def draw_by_size(
    trials: pd.DataFrame, x: str, outcomes: Sequence[str], groups: Sequence[str], label: Label, log: bool
) -> Figure:
    """Outcomes of trials against a number that they have, a dot a trial with its standard error.

    Args:
        trials: a row a trial: `group`, `x`, the outcomes, and each with `_sem` as well.
        x: column along the axis.
        outcomes: what is shown.
        groups: all groups, in the order of their colours.
        label: names axes.
        log: whether the axis is logarithmic.
    """
    figure, panels = _panels(len(outcomes), groups)
    for axes, outcome in zip(panels, outcomes, strict=False):
        for k, group in enumerate(groups):
            own = trials[trials["group"] == group]
            errors = own[f"{outcome}_sem"].fillna(0)
            axes.errorbar(own[x], own[outcome], errors, **_dots(k), markersize=5, alpha=0.75, elinewidth=0.8)
        axes.set(xlabel=label(x), ylabel=_wrapped(label(outcome)))
        if log:
            axes.set_xscale("log")
        else:
            axes.locator_params(axis="x", nbins=4)  # numbers of six digits have no room for more
    return figure


def add_legend(figure: Figure, groups: Sequence[str]) -> None:
    """The colours and shapes of the groups, above the pictures; nothing if there is one group."""
    if len(groups) < 2:
        return
    handles = [Line2D([], [], **_dots(k) | {"linestyle": "-"}, label=group) for k, group in enumerate(groups)]
    width = max(map(len, groups)) * LETTER + HANDLE
    columns = max(1, int(figure.get_figwidth() / width))
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )


def _panels(count: int, groups: Sequence[str]) -> tuple[Figure, list[Any]]:
    """A figure with a small picture an outcome, and the legend of the groups."""
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = new_figure(max(4.0 * columns, 6.0), 2.9 * rows + 0.4)
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels:
        plain(axes)
    for axes in panels[count:]:
        axes.set_visible(False)
    add_legend(figure, groups)
    return figure, panels


def _wrapped(name: str) -> str:
    """On two lines what is longer than a picture is high."""
    return fill(name, LONGEST, break_on_hyphens=False)


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _dots(k: int) -> dict[str, Any]:
    return {"linestyle": "none", "marker": MARKERS[k % len(MARKERS)], "color": _colour(k)}


def _keep_possible(axes: Any, values: "pd.Series[float]") -> None:
    """No axis goes below 0 or above 1 for the sake of a margin, where no value does."""
    known = values[np.isfinite(values)]
    low, high = axes.get_ylim()
    if not len(known) or axes.get_yscale() == "log":
        return
    if known.min() >= 0 and low < 0:
        axes.set_ylim(bottom=0, top=1 if known.max() == 0 else high)
    if known.min() >= 0 and 0.5 < known.max() <= 1 and high > 1:
        axes.set_ylim(top=1)


def _rows(means: pd.DataFrame, group: str, outcome: str, x: str) -> pd.DataFrame:
    return means[(means["group"] == group) & (means["outcome"] == outcome)].sort_values(x)


def _places(values: Array, k: int, groups: int, ticks: Sequence[float] | None) -> Array:
    """Where the values of group k stand on the axis."""
    if ticks is None or not len(values):
        return values
    nearest = np.abs(np.subtract.outer(values, np.array(ticks))).argmin(1)
    return np.asarray(nearest + DODGE * ((k + 0.5) / groups - 0.5))


def _draw_means(axes: Any, places: Array, rows: pd.DataFrame, dots: dict[str, Any]) -> None:
    # Without an interval there is no bar: one of no length would claim that the mean is known exactly.
    errors = np.maximum(0, np.stack([rows["mean"] - rows["low"], rows["high"] - rows["mean"]]))
    look = dots | {"linestyle": "-"}
    axes.errorbar(places, rows["mean"], errors, **look, markersize=5, linewidth=1.4, elinewidth=1, capsize=2)
