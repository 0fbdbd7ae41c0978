"""A still picture of a network in space."""

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection  # type: ignore[import-untyped]

from service.figures.cloud import (
    Array,
    Cloud,
    Edges,
    Group,
    Scale,
    cube,
    dot_areas,
    projection,
    strongest_edges,
    views,
)
from service.figures.style import (
    FAINT,
    INK,
    MARKERS,
    MUTED,
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    SCALE,
    SILENT_COLOUR,
    framed_figure,
    plain,
    png,
    titled,
)

SMALLEST_DOT, LARGEST_DOT = 16, 140
"""Areas (square points)."""


def positions_png(cloud: Cloud, colours: str | None = None) -> bytes:
    """Neurons in space and their strongest synapses, as PNG.

    The area of a dot grows with the neuron's rate. One dimension is drawn on a line with the rate as height;
    of more than three dimensions the first three principal components are shown.

    Args:
        cloud: the network.
        colours: the view that colours the neurons, one of `views(cloud)`; None: the first of them.
    """
    projected = projection(cloud)
    points, edges = projected.points(cloud.positions), strongest_edges(cloud.weights)
    known = views(cloud)
    view = known[colours or next(iter(known))]
    groups = [] if isinstance(view, Scale) else view
    columns = 1 if len(groups) <= 22 else 2
    figure = framed_figure(8.4, 6.3, (0.65, 0.85, 8.35 - 1.3 * columns, 6.0))
    axes: Any = figure.add_subplot(projection="3d" if points.shape[1] == 3 else None)
    draw_edges(axes, points, edges)
    areas = dot_areas(cloud.rate, SMALLEST_DOT, LARGEST_DOT)
    if isinstance(view, Scale):
        shown = draw_scale(axes, points, view, areas)
        bar = figure.colorbar(shown, ax=axes, shrink=0.6, fraction=0.05, pad=0.04, label=view.label)
        bar.outline.set_visible(False)
    else:
        draw_groups(axes, points, view, areas)
    if points.shape[1] == 3:
        frame_3d(axes, points, projected.labels)
    else:
        _frame_2d(axes, projected.labels, equal=projected.height is None)
    titled(axes, cloud.title, 13)
    figure.legend(
        handles=_legend(groups, edges),
        loc="center right",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        ncols=columns,
    )
    figure.supxlabel(_caption(cloud, edges), y=0.02, fontsize=9, color=MUTED)
    return png(figure)


def draw_edges(axes: Any, points: Array, edges: Edges) -> None:
    """Draw synapses between `points` [N, 2 or 3], the strongest darkest and on top."""
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


def draw_scale(axes: Any, points: Array, scale: Scale, areas: Array) -> Any:
    """Draw neurons at `points` [N, 2 or 3], coloured by a number; returns what a colour bar describes."""
    known = ~np.isnan(scale.values)
    draw_groups(axes, points, [Group("", np.flatnonzero(~known), SILENT_COLOUR)], areas)
    return axes.scatter(
        *points[known].T,
        s=areas[known],
        c=scale.values[known],
        cmap=SCALE,
        edgecolors="white",
        linewidths=0.6,
        zorder=2,
        **_flat(points),
    )


def draw_groups(axes: Any, points: Array, groups: list[Group], areas: Array) -> None:
    """Draw neurons at `points` [N, 2 or 3], with the colours and shapes of their groups."""
    for shape in sorted({group.shape for group in groups}):  # all of a shape at once, which is much faster
        shown = [group for group in groups if group.shape == shape]
        members = np.concatenate([group.members for group in shown])
        sizes = [len(group.members) for group in shown]
        axes.scatter(
            *points[members].T,
            s=areas[members],
            c=np.repeat([group.colour for group in shown], sizes),
            marker=MARKERS[shape],
            edgecolors=np.repeat([_outline(group) for group in shown], sizes),
            linewidths=0.6,
            zorder=2,
            **_flat(points),
        )


def _flat(points: Array) -> dict[str, Any]:
    """In space distance would fade the colours."""
    return {"depthshade": False} if points.shape[1] == 3 else {}


def _outline(group: Group) -> str:
    return "#999999" if group.colour == SILENT_COLOUR else "white"


def _frame_2d(axes: Any, labels: tuple[str, ...], equal: bool) -> None:
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if equal:
        axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    plain(axes)


def frame_3d(axes: Any, points: Array, labels: tuple[str, ...]) -> None:
    """A cube around `points` [M, 3], seen from a corner."""
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
    dots = [group_mark(group, f"{group.label} ({len(group.members)})") for group in groups]
    signs = ((POSITIVE_COLOUR, "w > 0", edges.weight > 0), (NEGATIVE_COLOUR, "w < 0", edges.weight < 0))
    lines = [Line2D([], [], color=colour, label=label) for colour, label, shown in signs if shown.any()]
    return [*dots, *lines]


def group_mark(group: Group, label: str) -> Line2D:
    """What stands for a group in a legend."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=MARKERS[group.shape],
        markersize=7,
        color=group.colour,
        markeredgecolor=_outline(group),
        label=label,
    )


def _caption(cloud: Cloud, edges: Edges) -> str:
    drawn = (
        f"strongest {len(edges.weight):,} of {edges.existing:,} synapses" if edges.existing else "no synapses"
    )
    return f"{drawn}   ·   area of a dot: rate, at most {cloud.rate.max(initial=0.0):.3g} spikes per sample"
