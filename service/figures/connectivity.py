"""Who is connected with whom."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import colormaps

from service.figures.cloud import Array
from service.figures.style import FAINT, INK, MUTED, SILENT_COLOUR, framed_figure, plain, png, titled

SATURATED = 99.5
"""Percentile of |w| at which colours are at their strongest, lest one weight pales all others."""


def connectivity_png(weights: Array, mask: Array, module: Array | None, title: str) -> bytes:
    """The matrix of recurrent weights, neurons sorted by module, as PNG.

    Args:
        weights: [N, N], presynaptic first.
        mask: [N, N] bool: synapses that exist; others are grey.
        module: [N] community of each neuron, the largest drawn first; None: the neurons in their own order.
        title: what it is a picture of.
    """
    figure = framed_figure(6.8, 6.0, (0.7, 0.85, 6.05, 5.65))
    axes = figure.add_subplot()
    order = by_module(module, np.abs(weights)) if module is not None else np.arange(len(weights))
    sorted_weights, exists = weights[np.ix_(order, order)], mask[np.ix_(order, order)]
    strength = np.abs(weights[mask & (weights != 0)])
    limit = float(np.percentile(strength, SATURATED)) if len(strength) else 1.0
    colours = colormaps["PuOr_r"].with_extremes(bad=SILENT_COLOUR)
    shown = np.where(exists, sorted_weights, np.nan)
    image = axes.imshow(shown, cmap=colours, vmin=-limit, vmax=limit, zorder=1)
    if module is not None:
        _draw_borders(axes, module[order])
    bar = figure.colorbar(
        image,
        ax=axes,
        shrink=0.7,
        fraction=0.05,
        pad=0.04,
        extend="both",
        label="weight (thresholds per spike)",
    )
    bar.outline.set_visible(False)
    axes.set(xlabel="postsynaptic neuron", ylabel="presynaptic neuron")
    plain(axes)
    axes.spines[:].set_visible(False)
    titled(axes, title)
    said = "in order of module, the largest first" if module is not None else "in their own order"
    figure.supxlabel(f"neurons {said}; grey: no synapse", y=0.02, fontsize=9, color=MUTED)
    return png(figure)


def by_module(module: Array, strength: Array) -> Array:
    """Neurons [N] by module, the largest first, and in a module by their summed `strength` [N, N]."""
    labels, place, sizes = np.unique(module, return_inverse=True, return_counts=True)
    rank = np.empty(len(labels), int)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(labels))
    return np.lexsort((-(strength.sum(0) + strength.sum(1)), rank[place]))


def _draw_borders(axes: Any, module: Array) -> None:
    """Squares around the modules of sorted neurons."""
    starts = np.flatnonzero(np.concatenate([[True], module[1:] != module[:-1], [True]]))
    for first, last in pairwise(starts.tolist()):
        if last - first > 1:
            corner = np.array([first, last, last, first, first]) - 0.5
            other = np.array([first, first, last, last, first]) - 0.5
            axes.plot(corner, other, color=INK, linewidth=0.8, zorder=2)
    axes.set(xlim=(-0.5, len(module) - 0.5), ylim=(len(module) - 0.5, -0.5), facecolor=FAINT)
