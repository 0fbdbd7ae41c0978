"""The distribution of a network's delays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from service.figures.cloud import Array
from service.figures.panels import panels_of
from service.figures.style import COLOURS, INK, POSITIVE_COLOUR, framed_figure, plain, png, titled

BINS = 50


def delays_png(delays: Array, weights: Array, mask: Array, title: str) -> bytes:
    """Histogram of the delays of the synapses that exist, each counted alike and counted by |w|, as PNG.

    Args:
        delays: [N, N] (ms).
        weights: [N, N].
        mask: [N, N] bool: synapses that exist.
        title: what it is a picture of.
    """
    figure = framed_figure(7.2, 4.2, (0.85, 0.55, 7.05, 3.85))
    axes = figure.add_subplot()
    draw_delays(axes, delays[mask], np.abs(weights[mask]))
    add_legend(axes)
    titled(axes, title)
    return png(figure)


def draw_delays(axes: Any, values: Array, strength: Array) -> None:
    """Histograms of delays (ms) [E], plain and weighted by `strength` [E]."""
    if len(values):
        bins = np.histogram_bin_edges(values, BINS)
        axes.stairs(_shares(values, bins), bins, fill=True, color="#BBBBBB", label="synapses")
        axes.axvline(values.mean(), color="#888888", linestyle=":", linewidth=1.2)
    if strength.any():
        shares = _shares(values, bins, strength)
        axes.stairs(shares, bins, linewidth=1.8, color=COLOURS[0], label="synapses, weighted by |w|")
        axes.axvline(np.average(values, weights=strength), color=COLOURS[0], linestyle=":", linewidth=1.2)
    if not len(values):
        axes.text(0.5, 0.5, "no synapses", transform=axes.transAxes, ha="center", color=POSITIVE_COLOUR)
    axes.set(xlabel="delay (ms)", ylabel="share of synapses")
    plain(axes)


def draw_delay_strength(networks: Sequence[tuple[str, Array]], borders: Array) -> Figure:
    """Synapses times their strength by delay, on a logarithmic axis, a picture a network on the same axes.

    Args:
        networks: of each its title, and an amount [B] for each bin.
        borders: of the bins [B + 1] (ms).
    """
    figure, panels = panels_of(len(networks), 2.9)
    highest = max((amounts.max() for _, amounts in networks), default=0) or 1.0
    least = min((amounts[amounts > 0].min() for _, amounts in networks if amounts.any()), default=0.1)
    for axes, (title, amounts) in zip(panels, networks, strict=False):
        axes.stairs(amounts, borders, baseline=least / 2, fill=True, color=COLOURS[0])
        axes.set(xlabel="delay (ms)", ylabel="synapses × Σ|w|", yscale="log", ylim=(least / 2, 2 * highest))
        axes.set_xlim(borders[0], borders[-1])
        plain(axes)
        titled(axes, title, 10)
    return figure


def add_legend(axes: Any) -> None:
    """What the histograms in `axes` are."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, title="dotted: mean", title_fontsize=9)


def _shares(values: Array, bins: Array, amounts: Array | None = None) -> Array:
    """Sums of `amounts` in each bin of their values."""
    counts = np.histogram(values, bins, weights=amounts)[0]
    return np.asarray(counts / counts.sum())
