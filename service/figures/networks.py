"""Several networks side by side: where their neurons are, their delays, and where their inputs go."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from service.figures.cloud import Array, Cloud, Group, Scale, dot_areas, strongest_edges, views
from service.figures.cloud_png import draw_edges, draw_groups, draw_scale, group_mark
from service.figures.delays import draw_delays
from service.figures.panels import COLUMNS, frame, in_plane, panels_of, plane_of
from service.figures.style import SCALE, titled

SATURATED = 97
"""Percentile of input weights at which colours are at their strongest, lest one neuron pales all others."""


def draw_clouds(clouds: Sequence[Cloud]) -> Figure:
    """Neurons in a plane (see `in_plane`), coloured by preferred class, with the strongest synapses."""
    figure, panels = panels_of(len(clouds), 3.6)
    for axes, cloud in zip(panels, clouds, strict=False):
        points, labels = in_plane(cloud)
        draw_edges(axes, points, strongest_edges(cloud.weights))
        _draw_neurons(axes, points, cloud)
        frame(axes, labels, cloud.title)
    _add_legend(figure, clouds)
    return figure


def draw_epochs(cloud: Cloud, snapshots: Sequence[tuple[int, Array]]) -> Figure:
    """Neurons at several epochs, all on the same axes, coloured as in `draw_clouds`.

    Args:
        cloud: the network as it is at last.
        snapshots: epoch and positions [N, D], in order.
    """
    figure, panels = panels_of(len(snapshots), 3.6)
    to_points, labels = plane_of(cloud)
    everywhere = np.concatenate([to_points(positions) for _, positions in snapshots])
    (left, low), (right, high) = everywhere.min(0), everywhere.max(0)
    pad = 0.06 * (max(right - left, high - low) or 1.0)
    for axes, (epoch, positions) in zip(panels, snapshots, strict=False):
        _draw_neurons(axes, to_points(positions), cloud)
        frame(axes, labels, f"{cloud.title}\nepoch {epoch}" if axes is panels[0] else f"epoch {epoch}")
        axes.set_adjustable("box")  # so that limits stay as they are
        axes.set(xlim=(left - pad, right + pad), ylim=(low - pad, high + pad))
    _add_legend(figure, [cloud])
    return figure


def draw_delay_histograms(networks: Sequence[tuple[str, Array, Array]]) -> Figure:
    """Histograms of delays, plain and weighted by |w|, with dotted lines at the means.

    networks: of each its title, and the delay (ms) and |w| of its synapses, each [E].
    """
    figure, panels = panels_of(len(networks), 2.9)
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
    figure, panels = panels_of(len(bands) + 1, 3.2)
    points, labels = in_plane(cloud)
    areas = dot_areas(cloud.rate, 14, 70)
    limit = float(np.percentile(np.abs(list(bands.values())), SATURATED)) or 1.0
    shown: Any = None
    for axes, (name, weights) in zip(panels, bands.items(), strict=False):
        style = {"c": weights, "cmap": "PuOr_r", "vmin": -limit, "vmax": limit, "edgecolors": "#BBBBBB"}
        shown = axes.scatter(*points.T, s=areas, linewidths=0.4, **style)
        frame(axes, labels, name)
    beside = panels[min(COLUMNS, len(bands)) - 1]
    figure.colorbar(shown, ax=beside, label="mean input weight", shrink=0.8, extend="both")
    last = panels[len(bands)]
    dots = last.scatter(*points.T, s=areas, c=channel, cmap=SCALE, edgecolors="white", linewidths=0.4)
    figure.colorbar(dots, ax=last, label="channel", shrink=0.8)
    frame(last, labels, "preferred channel")
    return figure


def _add_legend(figure: Figure, clouds: Sequence[Cloud]) -> None:
    """One legend for all panels: each group that is in any of them once, the silent ones last."""
    shown = [view for cloud in clouds if not isinstance(view := _view(cloud), Scale)]
    groups = {group.label: group for view in shown for group in view}
    order = sorted(groups, key=lambda label: (label.startswith("silent"), _numbers(label)))
    if order:
        marks = [group_mark(groups[label], label) for label in order]
        columns = max(1, int(figure.get_figwidth() / (0.5 + 0.09 * max(map(len, order)))))
        place: Any = {"loc": "outside upper left", "ncols": columns}
        figure.legend(handles=marks, frameon=False, fontsize=9, columnspacing=1.2, handletextpad=0.2, **place)


def _numbers(label: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", label)]


def _view(cloud: Cloud) -> list[Group] | Scale:
    """What colours the neurons: the first of the views that there are."""
    return next(iter(views(cloud).values()))


def _draw_neurons(axes: Any, points: Array, cloud: Cloud) -> None:
    areas, view = dot_areas(cloud.rate, 10, 70), _view(cloud)
    if isinstance(view, Scale):
        draw_scale(axes, points, view, areas)
    else:
        draw_groups(axes, points, view, areas)
