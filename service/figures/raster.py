"""The spikes of one sample: what went in, and what the network made of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from service.figures.cloud import Array
from service.figures.style import COLOURS, INK, MUTED, framed_figure, plain, titled


@dataclass(frozen=True)
class Raster:
    """One network in one sample: E input and H hidden spikes."""

    input_times: Array
    """[E] ms."""
    input_channels: Array
    """[E]"""
    times: Array
    """[H] ms."""
    neurons: Array
    """[H]"""
    duration: float
    """ms."""
    title: str
    positions: Array | None
    """[N, D] (units of space); None: the neurons have no place."""
    delay_floor: float = 0.0
    """Delay at no distance (ms)."""
    delay_scale: float = 0.0
    """Delay per unit of space (ms)."""


def draw_raster(raster: Raster) -> Figure:
    """Input spikes by channel over hidden spikes by the place of their neuron.

    The height of a neuron is its place along the longest axis of the cloud, so that what one spike can cause
    lies in a cone: signals travel at 1 / delay_scale, and a distance is never less than its share along one
    axis. The cone of the earliest spike of the neuron that spikes most is shaded.
    """
    figure = framed_figure(8.4, 6.3, (0.95, 0.55, 8.25, 5.95))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
    above.scatter(raster.input_times, raster.input_channels, **_ticks(len(raster.input_times)), color=MUTED)
    above.set(ylabel="input channel")
    titled(above, raster.title)
    height, label = _heights(raster)
    latest = max(raster.times.max(initial=0.0), raster.input_times.max(initial=0.0))
    end = min(raster.duration, 1.1 * latest or raster.duration)
    below.set(xlabel="time (ms)", ylabel=label, xlim=(0, end))
    if len(raster.times) and raster.positions is not None:
        _draw_cone(below, raster, height, end)
    below.scatter(
        raster.times, height[raster.neurons], **_ticks(len(raster.times)), color=COLOURS[0], zorder=2
    )
    for axes in (above, below):
        plain(axes)
    return figure


def _ticks(spikes: int) -> dict[str, Any]:
    """Small upright dashes, smaller where there are many."""
    return {"marker": "|", "s": 40 if spikes < 500 else 16 if spikes < 3000 else 6, "linewidths": 0.9}


def _heights(raster: Raster) -> tuple[Array, str]:
    """Where each neuron is drawn [N], and what that is."""
    if raster.positions is None:
        size = int(raster.neurons.max(initial=0)) + 1
        first = np.full(size, np.inf)
        np.minimum.at(first, raster.neurons, raster.times)
        return np.argsort(np.argsort(first, kind="stable")), "hidden neuron, by its first spike"
    centred = raster.positions - raster.positions.mean(0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    name = "the line" if raster.positions.shape[1] == 1 else "the longest axis (PC 1)"
    return centred @ axis, f"neuron, by its place on {name}\n(units of space)"


def _draw_cone(axes: Any, raster: Raster, height: Array, end: float) -> None:
    busiest = np.bincount(raster.neurons).argmax()
    start, apex = raster.times[raster.neurons == busiest].min(), height[busiest]
    reach = np.linspace(height.min(), height.max(), 201)
    front = start + raster.delay_floor + raster.delay_scale * np.abs(reach - apex)
    inside, label = front < end, "what it can reach"
    axes.fill_betweenx(
        reach, front, end, where=inside, color=COLOURS[6], alpha=0.25, linewidth=0, label=label
    )
    axes.plot(
        start, apex, "*", markersize=13, color=COLOURS[5], markeredgecolor="white", label="a spike", zorder=3
    )
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9, labelcolor=INK)
