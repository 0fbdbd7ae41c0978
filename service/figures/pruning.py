"""What is left of accuracy as synapses are taken out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from service.figures.cloud import Array
from service.figures.style import COLOURS, INK, MARKERS, framed_figure, new_figure, plain, titled

ORDERS = {"magnitude": "weakest first", "length": "longest first"}


def draw_pruning(curves: Mapping[str, Array], shares: Sequence[float], title: str, samples: str) -> Figure:
    """Accuracy against the share of recurrent synapses that are gone, with standard errors.

    Args:
        curves: accuracy [K, R] of R networks, by order: `magnitude` and `length`.
        shares: [K] that are gone.
        title: of the picture.
        samples: what accuracy was measured on, in words.
    """
    figure = framed_figure(6.4, 4.2, (0.65, 0.55, 6.3, 3.85))
    axes = figure.add_subplot()
    for k, (by, label) in enumerate(ORDERS.items()):
        networks = curves[by].shape[1]
        error = curves[by].std(1, ddof=1) / np.sqrt(networks) if networks > 1 else None
        axes.errorbar(100 * np.array(shares), curves[by].mean(1), error, capsize=2, label=label, **_look(k))
    axes.set(xlabel="recurrent synapses taken out (%)", ylabel=f"accuracy on {samples}", ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    plain(axes)
    titled(axes, title)
    return figure


def draw_pruning_by_group(curves: pd.DataFrame, groups: Sequence[str]) -> Figure:
    """The same for groups of trials, the orders side by side, with intervals.

    Args:
        curves: a row a group, order and share: `group`, `by`, `share`, `mean`, `low`, `high`.
        groups: all groups, in the order of their colours.
    """
    figure = new_figure(8.8, 4.0)
    panels = figure.subplots(1, len(ORDERS), sharey=True)
    lowest = curves[["mean", "low"]].min().min()
    for axes, (by, label) in zip(panels, ORDERS.items(), strict=True):
        for k, group in enumerate(groups):
            rows = curves[(curves["by"] == by) & (curves["group"] == group)]
            gone, look = 100 * rows["share"], _look(k)
            if len(rows):
                axes.plot(gone, rows["mean"], **look, label=group)
            axes.vlines(gone, rows["low"], rows["high"], color=look["color"], linewidth=1.2)
        axes.set(xlabel=f"recurrent synapses taken out (%), {label}")
        axes.set_ylim(max(0.0, lowest - 0.05), 1.02)
        plain(axes)
    panels[0].set_ylabel(f"accuracy on held-out samples\n(axis starts at {max(0.0, lowest - 0.05):.2g})")
    if len(groups) > 1:
        known = panels[0].get_legend_handles_labels()
        figure.legend(*known, loc="outside upper left", ncols=3, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def _look(k: int) -> dict[str, Any]:
    """Colour and line of curve k."""
    return {
        "color": COLOURS[k % len(COLOURS)],
        "marker": MARKERS[k % len(MARKERS)],
        "markersize": 5,
        "linewidth": 1.6,
    }
