"""Several networks side by side: where their neurons are, their delays, and where their inputs go."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from service.figures.cloud import Array, Cloud, Scale, dot_areas, projection, strongest_edges, views
from service.figures.cloud_png import draw_edges, draw_groups, draw_scale
from service.figures.delays import draw_delays
from service.figures.style import SCALE, new_figure, plain, titled

COLUMNS = 3
SATURATED = 97
"""Percentile of input weights at which colours are at their strongest, lest one neuron pales all others."""


def draw_clouds(clouds: Sequence[Cloud]) -> Figure:
    """Neurons in a plane (see `in_plane`), coloured by preferred class, with the strongest synapses."""
    figure, panels = _panels(len(clouds), 3.6)
    for axes, cloud in zip(panels, clouds, strict=False):
        points, labels = in_plane(cloud)
        draw_edges(axes, points, strongest_edges(cloud.weights))
        areas, view = dot_areas(cloud.rate, 10, 70), next(iter(views(cloud).values()))
        if isinstance(view, Scale):
            draw_scale(axes, points, view, areas)
        else:
            draw_groups(axes, points, view, areas)
        _frame(axes, labels, cloud.title)
    return figure


def draw_delay_histograms(networks: Sequence[tuple[str, Array, Array]]) -> Figure:
    """Histograms of delays, plain and weighted by |w|, with dotted lines at the means.

    networks: of each its title, and the delay (ms) and |w| of its synapses, each [E].
    """
    figure, panels = _panels(len(networks), 2.9)
    for axes, (title, delays, strength) in zip(panels, networks, strict=False):
        draw_delays(axes, delays, strength)
        titled(axes, title, 10)
    if networks:
        figure.legend(
            *panels[0].get_legend_handles_labels(),
            loc="outside upper left",
            ncols=2,
            frameon=False,
            fontsize=9,
        )
    return figure


def draw_inputs(cloud: Cloud, bands: Mapping[str, Array], channel: Array) -> Figure:
    """Where inputs go: the mean weight from each band of channels, and the preferred channel.

    Args:
        cloud: the network.
        bands: mean input weight [N] of each neuron from some channels, by their names.
        channel: preferred channel of each neuron [N].
    """
    figure, panels = _panels(len(bands) + 1, 3.2)
    points, labels = in_plane(cloud)
    areas = dot_areas(cloud.rate, 14, 70)
    limit = float(np.percentile(np.abs(list(bands.values())), SATURATED)) or 1.0
    shown: Any = None
    for axes, (name, weights) in zip(panels, bands.items(), strict=False):
        style = {"c": weights, "cmap": "PuOr_r", "vmin": -limit, "vmax": limit, "edgecolors": "#BBBBBB"}
        shown = axes.scatter(*points.T, s=areas, linewidths=0.4, **style)
        _frame(axes, labels, name)
    beside = panels[min(COLUMNS, len(bands)) - 1]
    figure.colorbar(shown, ax=beside, label="mean input weight", shrink=0.8, extend="both")
    last = panels[len(bands)]
    dots = last.scatter(*points.T, s=areas, c=channel, cmap=SCALE, edgecolors="white", linewidths=0.4)
    figure.colorbar(dots, ax=last, label="channel", shrink=0.8)
    _frame(last, labels, "preferred channel")
    return figure


def in_plane(cloud: Cloud) -> tuple[Array, tuple[str, str]]:
    """Points [N, 2] and their axes: of three dimensions or more the first two principal components."""
    dimensions = cloud.positions.shape[1]
    if dimensions < 3:
        shown = projection(cloud)
        return shown.points(cloud.positions), (shown.labels[0], shown.labels[1])
    centred = cloud.positions - cloud.positions.mean(0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    share = 100 * spread**2 / max(float((spread**2).sum()), np.finfo(float).tiny)
    names = tuple(f"PC {k + 1} of {dimensions}-D (units of space), {share[k]:.0f} %" for k in range(2))
    return centred @ axes[:2].T, (names[0], names[1])


def _panels(count: int, height: float) -> tuple[Figure, list[Any]]:
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = new_figure(max(4.0 * columns, 5.0), height * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels


def _frame(axes: Any, labels: tuple[str, str], title: str) -> None:
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if labels[1].startswith(("y", "PC")):
        axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    plain(axes)
    titled(axes, title, 10)
