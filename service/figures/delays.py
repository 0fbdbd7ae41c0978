"""The distribution of a network's delays."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from service.figures.cloud import COLOURS, POSITIVE_COLOUR, Array
from service.figures.cloud_png import DPI, FAINT, INK, png

BINS = 50


def delays_png(delays: Array, weights: Array, mask: Array, title: str) -> bytes:
    """Histogram of the delays of the synapses that exist, each counted alike and counted by |w|, as PNG.

    Args:
        delays: [N, N] (ms).
        weights: [N, N].
        mask: [N, N] bool: synapses that exist.
        title: what it is a picture of.
    """
    figure = Figure(figsize=(7.2, 4.2), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    values, strength = delays[mask], np.abs(weights[mask])
    if len(values):
        bins = np.histogram_bin_edges(values, BINS)
        axes.hist(values, bins, weights=_shares(np.ones(len(values))), color="#BBBBBB", label="synapses")
        axes.axvline(values.mean(), color="#888888", linestyle=":", linewidth=1.2)
    if strength.any():
        axes.hist(
            values,
            bins,
            weights=_shares(strength),
            histtype="step",
            linewidth=1.8,
            color=COLOURS[0],
            label="synapses, weighted by |w|",
        )
        axes.axvline(np.average(values, weights=strength), color=COLOURS[0], linestyle=":", linewidth=1.2)
    if len(values):
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, title="dotted: mean", title_fontsize=9)
    else:
        axes.text(0.5, 0.5, "no synapses", transform=axes.transAxes, ha="center", color=POSITIVE_COLOUR)
    axes.set(xlabel="delay (ms)", ylabel="share")
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.tick_params(color=FAINT, labelcolor=INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    return png(figure)


def _shares(amounts: Array) -> Array:
    return np.asarray(amounts / amounts.sum())
