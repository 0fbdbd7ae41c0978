"""The archive of MAP-Elites: a grid over two measures, each cell in the colour of its elite's objective."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from service.figures.style import FAINT, INK, SCALE, new_figure, plain, titled

MOST_NUMBERS = 150
"""Elites that are named at most: beyond that their numbers would not be read."""


def draw_archive(
    panels: Sequence[tuple[str, pd.DataFrame]],
    measures: Sequence[str],
    edges: Sequence[np.ndarray],
    objective: str,
    labels: Sequence[str],
) -> Figure:
    """A heat map a panel, all with one scale of colours; cells without an elite are empty.

    Args:
        panels: title and elites of each: a row an elite, with `trial`, the column `objective`, and for each
            measure its cell, from 0, as `<measure>_cell`.
        measures: the two, the first to the right and the second upwards.
        edges: [cells + 1] borders of the cells of each.
        objective: the column that colours show.
        labels: of the first measure, the second and the objective.
    """
    figure = new_figure(0.6 + 5.6 * len(panels), 5.0)
    values = pd.concat([elites[objective] for _, elites in panels])
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    norm = Normalize(low, high if high > low else low + 1)
    axes = list(figure.subplots(1, len(panels), squeeze=False)[0])
    for one, (title, elites) in zip(axes, panels, strict=True):
        mesh = _draw_panel(one, elites, measures, edges, objective, norm)
        one.set(xlabel=labels[0], ylabel=labels[1])
        titled(one, title, 10)
    bar = figure.colorbar(mesh, ax=axes, shrink=0.8)
    bar.set_label(labels[2], color=INK)
    bar.outline.set_visible(False)
    return figure


def _draw_panel(
    axes: Any,
    elites: pd.DataFrame,
    measures: Sequence[str],
    edges: Sequence[np.ndarray],
    objective: str,
    norm: Normalize,
) -> Any:
    """The heat map of one archive; returns what a bar of colours belongs to."""
    grid = np.full([len(one) - 1 for one in edges], np.nan)
    places = [elites[f"{name}_cell"].to_numpy(int) for name in measures]
    grid[places[0], places[1]] = elites[objective]
    mesh = axes.pcolormesh(edges[0], edges[1], grid.T, cmap=SCALE, norm=norm, edgecolors=FAINT, linewidth=0.5)
    if len(elites) <= MOST_NUMBERS:
        middle = [(one[:-1] + one[1:]) / 2 for one in edges]
        for i, j, trial, value in zip(*places, elites["trial"], elites[objective], strict=True):
            colour = INK if norm(value) > 0.55 else "white"
            axes.text(
                middle[0][i], middle[1][j], f"{trial:g}", color=colour, ha="center", va="center", size=7
            )
    plain(axes)
    return mesh
