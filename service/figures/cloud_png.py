"""A still picture of a network in space."""

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection  # type: ignore[import-untyped]

from service.figures.cloud import (
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    SILENT_COLOUR,
    Array,
    Cloud,
    Edges,
    Group,
    class_groups,
    cube,
    dot_areas,
    module_groups,
    projection,
    strongest_edges,
)

MARKERS = ("o", "s", "D", "^", "v")
DPI = 150
INK, FAINT = "#333333", "#DDDDDD"


def positions_png(cloud: Cloud) -> bytes:
    """Neurons in space, coloured by preferred class (or module), and their strongest synapses, as PNG.

    The area of a dot grows with the neuron's rate. One dimension is drawn on a line with the rate as height;
    of more than three dimensions the first three principal components are shown.
    """
    figure = Figure(figsize=(8.4, 6.3), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    projected = projection(cloud)
    points, edges = projected.points(cloud.positions), strongest_edges(cloud.weights)
    axes: Any = figure.add_subplot(projection="3d" if points.shape[1] == 3 else None)
    groups = _groups(cloud)
    _draw_edges(axes, points, edges)
    _draw_neurons(axes, points, groups, dot_areas(cloud.rate, 16, 140))
    if points.shape[1] == 3:
        _frame_3d(axes, points, projected.labels)
    else:
        _frame_2d(axes, projected.labels, equal=projected.height is None)
    axes.set_title(cloud.title, loc="left", fontsize=13, color=INK, pad=12)
    figure.legend(
        handles=_legend(groups, edges),
        loc="outside right center",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        ncols=1 if len(groups) <= 22 else 2,
    )
    figure.supxlabel(_caption(cloud, edges), fontsize=9, color="#777777")
    return png(figure)


def png(figure: Figure) -> bytes:
    """A figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _groups(cloud: Cloud) -> list[Group]:
    if cloud.preferred_class is not None:
        return class_groups(cloud.preferred_class)
    if cloud.module is not None:
        return module_groups(cloud.module)
    return [Group("neurons", np.arange(len(cloud.positions)), POSITIVE_COLOUR)]


def _draw_edges(axes: Any, points: Array, edges: Edges) -> None:
    if not len(edges.weight):
        return
    strength = np.abs(edges.weight) / np.abs(edges.weight).max()
    colours = np.array([to_rgba(POSITIVE_COLOUR if w > 0 else NEGATIVE_COLOUR) for w in edges.weight])
    colours[:, 3] = 0.08 + 0.5 * strength**2
    collection: Any = Line3DCollection if points.shape[1] == 3 else LineCollection
    lines = np.stack([points[edges.pre], points[edges.post]], axis=1)
    # The weakest first, so that the strongest are on top.
    axes.add_collection(
        collection(lines[::-1], colors=colours[::-1], linewidths=(0.5 + 1.3 * strength)[::-1], zorder=1)
    )


def _draw_neurons(axes: Any, points: Array, groups: list[Group], areas: Array) -> None:
    shade = {"depthshade": False} if points.shape[1] == 3 else {}
    for group in groups:
        axes.scatter(
            *points[group.members].T,
            s=areas[group.members],
            c=group.colour,
            marker=MARKERS[group.shape],
            edgecolors=_outline(group),
            linewidths=0.6,
            zorder=2,
            **shade,
        )


def _outline(group: Group) -> str:
    return "#999999" if group.colour == SILENT_COLOUR else "white"


def _frame_2d(axes: Any, labels: tuple[str, ...], equal: bool) -> None:
    axes.set(xlabel=labels[0], ylabel=labels[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=10, color=INK)
    if equal:
        axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.tick_params(color=FAINT, labelcolor=INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def _frame_3d(axes: Any, points: Array, labels: tuple[str, ...]) -> None:
    axes.set(**{f"{name}lim": bounds for name, bounds in zip("xyz", cube(points), strict=True)})
    axes.set(xlabel=labels[0], ylabel=labels[1], zlabel=labels[2])
    axes.set_box_aspect((1, 1, 1), zoom=0.93)
    axes.view_init(elev=22, azim=-55)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set(facecolor="white", edgecolor=FAINT)
        axis.line.set_color(FAINT)
        axis.set_major_locator(MaxNLocator(5))
        axis.set_tick_params(labelsize=9, labelcolor=INK, color=FAINT)
        axis._axinfo["grid"].update(color="#EEEEEE", linewidth=0.7)  # there is no public way in 3-D
        axis.label.set(fontsize=10, color=INK)


def _legend(groups: list[Group], edges: Edges) -> list[Line2D]:
    dots = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKERS[group.shape],
            markersize=7,
            color=group.colour,
            markeredgecolor=_outline(group),
            label=f"{group.label} ({len(group.members)})",
        )
        for group in groups
    ]
    signs = ((POSITIVE_COLOUR, "w > 0", edges.weight > 0), (NEGATIVE_COLOUR, "w < 0", edges.weight < 0))
    lines = [Line2D([], [], color=colour, label=label) for colour, label, shown in signs if shown.any()]
    return [*dots, *lines]


def _caption(cloud: Cloud, edges: Edges) -> str:
    drawn = (
        f"strongest {len(edges.weight):,} of {edges.existing:,} synapses" if edges.existing else "no synapses"
    )
    return f"{drawn}   ·   area of a dot: rate, at most {cloud.rate.max(initial=0.0):.3g} spikes per sample"
