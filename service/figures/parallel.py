"""Parallel coordinates: a line a trial through its fields and objectives."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from search import Objective
from service.figures.cloud import Array
from service.figures.style import INK, MUTED, SCALE, new_figure

FEW, TICKS = 6, 5
"""So few values stand at equal distances, like names; of more there are so many ticks."""
ABSENT = -0.12
"""Height of a field that a trial does not have."""


@dataclass(frozen=True)
class Axis:
    """One upright axis: where each trial crosses it, from 0 to 1, and what stands beside it."""

    heights: Array
    ticks: Sequence[tuple[float, str]]


def draw_parallel(
    trials: pd.DataFrame,
    fields: Sequence[str],
    objectives: Sequence[Objective],
    front: Collection[int],
    label: Callable[[str], str],
    log: Collection[str],
) -> Figure:
    """A line a trial, coloured by the first objective, the best on top; the front is drawn heavier.

    Args:
        trials: a row a trial: `trial`, the fields and the objectives' metrics.
        fields: columns of the searched fields, numbers or names.
        objectives: at least one.
        front: the trials on the Pareto front.
        label: names axes.
        log: columns with a logarithmic axis.
    """
    columns = [*fields, *(o.metric for o in objectives)]
    axes_of = [_axis(trials[column], column in log) for column in columns]
    figure = new_figure(max(6.0, 1.7 * len(columns) + 1.5), 4.8)
    axes = figure.add_subplot()
    value = trials[objectives[0].metric].to_numpy(float)
    order = np.argsort(value if objectives[0].goal == "max" else -value, kind="stable")
    heights = np.stack([axis.heights for axis in axes_of], axis=1)
    lines = np.stack([np.broadcast_to(np.arange(len(columns)), heights.shape), heights], axis=2)
    heavy = trials["trial"].isin(front).to_numpy()
    shades = ScalarMappable(Normalize(np.nanmin(value), np.nanmax(value)), SCALE)
    axes.add_collection(
        LineCollection(
            list(lines[order]),
            colors=shades.to_rgba(value[order], alpha=None),
            linewidths=np.where(heavy, 2.2, 0.8)[order],
            alpha=np.where(heavy, 0.95, 0.8 if len(trials) < 60 else 0.45)[order],
        )
    )
    for place, axis in enumerate(axes_of):
        _draw_axis(axes, place, axis)
    _frame(axes, columns, label, ABSENT if any(h == ABSENT for a in axes_of for h, _ in a.ticks) else 0.0)
    bar = figure.colorbar(shades, ax=axes, label=label(objectives[0].metric), shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    return figure


def _axis(values: pd.Series, log: bool) -> Axis:
    named = not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    if named or values.nunique() <= FEW:
        names = sorted(values.dropna().unique(), key=str if named else None)
        place = {name: (k + 0.5) / len(names) for k, name in enumerate(names)}
        heights = values.map(place).to_numpy(float)
        return _filled(heights, [(height, _text(name)) for name, height in place.items()])
    numbers = values.to_numpy(float)
    scaled = np.log10(numbers) if log else numbers
    low, high = np.nanmin(scaled), np.nanmax(scaled)
    room = high - low or 1.0
    marks = np.linspace(low, high, TICKS)
    ticks = [((mark - low) / room, f"{10**mark if log else mark:.3g}") for mark in marks]
    return _filled((scaled - low) / room, ticks)


def _filled(heights: Array, ticks: Sequence[tuple[float, str]]) -> Axis:
    """With a place below the axis for trials that have no value."""
    absent = np.isnan(heights)
    return Axis(np.where(absent, ABSENT, heights), [*ticks, (ABSENT, "none")] if absent.any() else ticks)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _draw_axis(axes: Any, place: int, axis: Axis) -> None:
    axes.plot([place, place], [0, 1], color=MUTED, linewidth=1, zorder=3)
    for height, text in axis.ticks:
        axes.annotate(
            text,
            (place, height),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )


def _frame(axes: Any, columns: Sequence[str], label: Callable[[str], str], lowest: float) -> None:
    names = [label(column).replace(" (", "\n(") for column in columns]
    axes.set_xticks(range(len(columns)), names, fontsize=9, color=INK)
    axes.set(xlim=(-0.15, len(columns) - 0.6), ylim=(lowest - 0.05, 1.05), yticks=[])
    axes.tick_params(length=0, pad=8)
    axes.spines[:].set_visible(False)
