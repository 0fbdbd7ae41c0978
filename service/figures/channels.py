"""Where input channels are followed in space, and when neurons spike at which radius."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from service.figures.cloud import Array, Cloud
from service.figures.panels import frame, panels_of, plane_of
from service.figures.style import SCALE, SILENT_COLOUR, new_figure, plain, titled


@dataclass(frozen=True)
class Channels:
    """The places of C input channels in one network."""

    cloud: Cloud
    places: Array
    """[C, D]; NaN for a channel that nothing follows."""
    title: str


def draw_channels(networks: Sequence[Channels]) -> Figure:
    """Places of channels, coloured by channel: above among the neurons, below on axes of their own."""
    figure = new_figure(max(4.0 * len(networks) + 0.6, 5.0), 7.2)
    panels = figure.subplots(2, len(networks), squeeze=False)
    dots: Any = None
    for (above, below), shown in zip(panels.T, networks, strict=True):
        channels = np.arange(len(shown.places))
        points, neurons, labels = _in_plane(shown, channels)
        above.scatter(*neurons.T, s=14, color=SILENT_COLOUR, edgecolors="#BBBBBB", linewidths=0.4)
        for axes in (above, below):
            dots = axes.scatter(*points.T, c=channels, s=10, cmap=SCALE, linewidths=0, zorder=2)
        frame(above, labels, shown.title)
        frame(below, labels, "the channels by themselves")
    figure.colorbar(dots, ax=panels, label="input channel", shrink=0.5)
    return figure


def _in_plane(shown: Channels, channels: Array) -> tuple[Array, Array, tuple[str, str]]:
    """Points of channels and of neurons [., 2], and the axes.

    On a line channels are at the height of their numbers, and neurons below them.
    """
    if shown.cloud.positions.shape[1] == 1:
        points = np.column_stack([shown.places[:, 0], channels])
        below = np.full(len(shown.cloud.positions), -0.06 * len(channels))
        return (
            points,
            np.column_stack([shown.cloud.positions[:, 0], below]),
            ("x (units of space)", "input channel"),
        )
    to_points, labels = plane_of(shown.cloud)
    return to_points(shown.places), to_points(shown.cloud.positions), labels


def draw_radius_time(networks: Sequence[tuple[str, pd.DataFrame]]) -> Figure:
    """Radius against preferred time, a dot a neuron coloured by what it follows, a picture a network.

    networks: of each its title and a row a neuron: `radius`, `preferred_time`, `field_centroid`.
    """
    figure, panels = panels_of(len(networks), 3.2)
    centroids = np.concatenate([rows["field_centroid"].to_numpy(float) for _, rows in networks])
    known = centroids[~np.isnan(centroids)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    dots: Any = None
    for axes, (title, rows) in zip(panels, networks, strict=False):
        unknown = rows[rows["field_centroid"].isna()]
        axes.scatter(unknown["preferred_time"], unknown["radius"], s=18, color=SILENT_COLOUR)
        followed = rows["field_centroid"].to_numpy(float)
        style = {"c": followed, "cmap": SCALE, "vmin": low, "vmax": high, "linewidths": 0}
        dots = axes.scatter(rows["preferred_time"], rows["radius"], s=18, **style)
        axes.set(xlabel="preferred time (ms)", ylabel="radius (units of space)")
        plain(axes)
        titled(axes, title, 10)
    if len(known):
        figure.colorbar(dots, ax=panels, label="channels followed, centroid", shrink=0.6)
    return figure
