"""What a network loses without some of its neurons, beside what it loses without any as many."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from service.figures.style import INK, SCALE, new_figure

NAMES = {"cluster": "cluster", "module": "module", "band": "band"}
MARKED = 3.0
"""Cells whose z is this far from 0 are marked."""


def draw_lesions(rows: pd.DataFrame, title: str) -> Figure:
    """Accuracy lost by set (down) and by class or part (across), beside the mean of random sets of its size.

    Args:
        rows: those of the table `lesions` of one network.
        title: of the picture.
    """
    rows = rows.assign(
        set=[
            f"{NAMES[kind]} {number} ({size})"
            for kind, number, size in rows[["kind", "label", "size"]].to_numpy()
        ],
        column=[_column(label, part) for label, part in rows[["class", "part"]].to_numpy(float)],
        lost=rows["intact"] - rows["accuracy"],
        by_chance=rows["intact"] - rows["random_mean"],
    )
    order = [*dict.fromkeys(rows["set"])], [*dict.fromkeys(rows["column"])]
    lost, by_chance, z = (
        rows.pivot(index="set", columns="column", values=name).loc[order[0], order[1]].to_numpy(float)
        for name in ("lost", "by_chance", "z")
    )
    figure = new_figure(3.2 + 0.52 * len(order[1]), 1.7 + 0.27 * len(order[0]))
    panels = figure.subplots(1, 2, sharey=True)
    top = max(np.nanmax(lost), np.nanmax(by_chance), 0.01)
    for axes, values, name in (
        (panels[0], lost, "these neurons"),
        (panels[1], by_chance, "random sets, mean"),
    ):
        image = axes.imshow(values, cmap=SCALE, vmin=0, vmax=top, aspect="auto", interpolation="nearest")
        _label(axes, order, name)
    down, across = np.nonzero(np.abs(z) >= MARKED)
    panels[0].scatter(across, down, s=14, facecolor="white", edgecolor=INK, linewidth=0.6)
    bar = figure.colorbar(image, ax=panels, pad=0.01)
    bar.set_label("accuracy lost", fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8, labelcolor=INK)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    return figure


def _column(label: float, part: float) -> str:
    if not np.isnan(part):
        return f"part {part:.0f}"
    return "all" if np.isnan(label) else f"{label:.0f}"


def _label(axes: Any, order: tuple[list[str], list[str]], name: str) -> None:
    axes.set_xticks(range(len(order[1])), order[1], rotation=90)
    axes.set_yticks(range(len(order[0])), order[0])
    axes.tick_params(labelsize=8, labelcolor=INK, length=0)
    axes.set_xlabel("class", fontsize=9, color=INK)
    axes.set_title(f"without {name}", loc="left", fontsize=9, color=INK)
    axes.spines[:].set_visible(False)
