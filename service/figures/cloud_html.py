"""An interactive picture of a network in space: one HTML page that needs nothing from anywhere else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from service.figures.cloud import (
    Array,
    Cloud,
    Edges,
    Group,
    Projection,
    Scale,
    cube,
    dot_areas,
    projection,
    strongest_edges,
    views,
)
from service.figures.style import NEGATIVE_COLOUR, POSITIVE_COLOUR, SCALE, SILENT_COLOUR

SYMBOLS_2D = ("circle", "square", "diamond", "triangle-up", "triangle-down")
SYMBOLS_3D = ("circle", "square", "diamond", "cross", "x")
EDGE_LOOKS = ((0.6, 2.4), (0.35, 1.6), (0.2, 1.0))
"""Opacity and width (pixels) of the strong, middle and weak third of the edges that are shown."""
CAMERA = {"eye": {"x": 1.45, "y": 1.45, "z": 0.9}, "center": {"x": 0, "y": 0, "z": -0.15}}

LIBRARY = "plotly.min.js"
"""The file that pages share; it is 4.7 MB."""

Snapshots = Sequence[tuple[int, Array]]


def positions_html(cloud: Cloud, snapshots: Snapshots | None = None, library: str | None = None) -> str:
    """Neurons in space and their strongest synapses, to turn and zoom, coloured in all ways that are known.

    Args:
        cloud: the network as it is at first shown.
        snapshots: epoch and positions [N, D] at several times, the last being the time of `cloud`; with more
            than one there is a slider over them. Edges, colours and sizes are those of `cloud` throughout.
        library: where the page finds the library that draws it, relative to itself; None: within itself.
    """
    projected, edges = projection(cloud), strongest_edges(cloud.weights)
    points = projected.points(cloud.positions)
    times = [(epoch, projected.points(positions)) for epoch, positions in snapshots or ()]
    bundles = _bundles(edges)
    looks = {name: _looks(view) for name, view in views(cloud).items()}
    dots = [look for group in looks.values() for look in group]
    traces = [_edge_trace(points, edges, *bundle) for bundle in bundles]
    traces += [_dot_trace(points, cloud, look) for look in dots]
    figure = go.Figure(traces, _layout(cloud.title, projected, [points, *(p for _, p in times)]))
    figure.update_layout(updatemenus=[_buttons(looks, len(bundles))])
    _show_only(figure, _visible(looks, next(iter(looks)), len(bundles)))
    if len(times) > 1:
        figure.frames = [
            go.Frame(name=str(epoch), data=_frame(at, edges, bundles, dots), traces=list(range(len(traces))))
            for epoch, at in times
        ]
        figure.update_layout(sliders=[_slider([epoch for epoch, _ in times])])
    page: str = figure.to_html(include_plotlyjs=library or True, full_html=True, auto_play=False)
    return page.replace("<body>", '<body style="margin: 0">', 1)


def library() -> bytes:
    """What a page needs beside it if it is not within."""
    script: str = get_plotlyjs()
    return script.encode()


def alone(page: bytes) -> bytes:
    """A page that has its library beside it, as one that needs nothing from anywhere else."""
    beside = re.compile(rb'<script[^>]* src="[^"]*' + re.escape(LIBRARY.encode()) + rb'"></script>')
    return beside.sub(lambda _: b"<script>" + library() + b"</script>", page, count=1)


Bundle = tuple[Array, str, str, float, float]
"""Edges that are drawn as one trace: their indices, label, colour, opacity and width."""


def _bundles(edges: Edges) -> list[Bundle]:
    """The edges by sign and, as a trace has a single width, by strength."""
    rank = np.arange(len(edges.weight)) * len(EDGE_LOOKS) // max(1, len(edges.weight))
    bundles: list[Bundle] = []
    for sign, colour, label in ((1, POSITIVE_COLOUR, "w > 0"), (-1, NEGATIVE_COLOUR, "w < 0")):
        for third, (opacity, width) in enumerate(EDGE_LOOKS):
            chosen = np.flatnonzero((np.sign(edges.weight) == sign) & (rank == third))
            if len(chosen):
                bundles.append((chosen, label, colour, opacity, width))
    return bundles


@dataclass(frozen=True)
class Look:
    """Neurons that are drawn as one trace: alike, or coloured by a number."""

    group: Group
    scale: Scale | None = None


def _looks(view: list[Group] | Scale) -> list[Look]:
    if not isinstance(view, Scale):
        return [Look(group) for group in view]
    known = np.isfinite(view.values)
    looks = [Look(Group(view.label, np.flatnonzero(known), ""), view)]
    if not known.all():
        looks.append(Look(Group("not known", np.flatnonzero(~known), SILENT_COLOUR)))
    return looks


def _coordinates(points: Array) -> dict[str, Array]:
    return dict(zip("xyz", points.T.astype(np.float32), strict=False))


def _edge_coordinates(points: Array, edges: Edges, chosen: Array) -> dict[str, Array]:
    """One line through all edges, broken after each."""
    ends = points[np.stack([edges.pre[chosen], edges.post[chosen], edges.post[chosen]], axis=1)]
    ends[:, 2] = np.nan
    return _coordinates(ends.reshape(-1, points.shape[1]))


def _edge_trace(
    points: Array, edges: Edges, chosen: Array, label: str, colour: str, opacity: float, width: float
) -> Any:
    spatial = points.shape[1] == 3
    return (go.Scatter3d if spatial else go.Scatter)(
        **_edge_coordinates(points, edges, chosen),
        mode="lines",
        line={"color": colour, "width": width * (1.5 if spatial else 1)},
        opacity=opacity,
        name=f"synapses, {label}",
        legendgroup=label,
        showlegend=opacity == EDGE_LOOKS[0][0],
        hoverinfo="skip",
        connectgaps=False,
    )


def _dot_trace(points: Array, cloud: Cloud, look: Look) -> Any:
    spatial, group, members = points.shape[1] == 3, look.group, look.group.members
    marker: dict[str, Any] = {
        "size": np.sqrt(dot_areas(cloud.rate, 25, 260))[members] * (0.7 if spatial else 1),
        "line": {"color": "#999999" if group.colour == SILENT_COLOUR else "white", "width": 1},
        "opacity": 1,
    }
    if look.scale is not None:
        marker |= {
            "color": look.scale.values[members],
            "colorscale": SCALE.capitalize(),
            "colorbar": {
                "title": {"text": look.scale.label, "side": "right"},
                "thickness": 14,
                "len": 0.6,
                "y": 0.4,
                "outlinewidth": 0,
            },
        }
    else:
        symbols = SYMBOLS_3D if spatial else SYMBOLS_2D
        marker |= {"color": group.colour, "symbol": symbols[group.shape]}
    return (go.Scatter3d if spatial else go.Scatter)(
        **_coordinates(points[members]),
        mode="markers",
        marker=marker,
        name=f"{group.label} ({len(members)})",
        showlegend=look.scale is None,
        text=[_description(cloud, neuron) for neuron in members.tolist()],
        hovertemplate="%{text}<extra></extra>",
    )


def _description(cloud: Cloud, neuron: int) -> str:
    lines = [f"<b>neuron {neuron}</b>"]
    if cloud.layer is not None:
        lines.append(f"layer {cloud.layer[neuron]}")
    if cloud.preferred_class is not None:
        label = cloud.preferred_class[neuron]
        lines.append(f"preferred class {label}" if label >= 0 else "silent")
    if cloud.module is not None:
        lines.append(f"module {cloud.module[neuron]}")
    if cloud.preferred_channel is not None and cloud.preferred_channel[neuron] >= 0:
        lines.append(f"preferred input channel {cloud.preferred_channel[neuron]}")
    if cloud.preferred_time is not None and np.isfinite(cloud.preferred_time[neuron]):
        lines.append(f"mean spike time {cloud.preferred_time[neuron]:.3g} ms")
    return "<br>".join([*lines, f"{cloud.rate[neuron]:.3g} spikes per sample"])


def _frame(points: Array, edges: Edges, bundles: list[Bundle], dots: list[Look]) -> list[Any]:
    """What changes with time: where things are."""
    places = [_edge_coordinates(points, edges, bundle[0]) for bundle in bundles]
    places += [_coordinates(points[look.group.members]) for look in dots]
    trace = go.Scatter3d if points.shape[1] == 3 else go.Scatter
    return [trace(**place) for place in places]


def _visible(looks: dict[str, list[Look]], shown: str, edge_traces: int) -> list[bool]:
    """Which traces are seen: all edges, and the dots of one view."""
    return [True] * edge_traces + [view == shown for view, dots in looks.items() for _ in dots]


def _show_only(figure: go.Figure, visible: list[bool]) -> None:
    for trace, seen in zip(figure.data, visible, strict=True):
        trace.visible = seen


def _buttons(looks: dict[str, list[Look]], edge_traces: int) -> dict[str, Any]:
    buttons = [
        {"label": view, "method": "restyle", "args": [{"visible": _visible(looks, view, edge_traces)}]}
        for view in looks
    ]
    place = {"x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "pad": {"b": 6}}
    return {"type": "buttons", "direction": "right", "buttons": buttons, "bgcolor": "white", **place}


def _slider(epochs: list[int]) -> dict[str, Any]:
    how = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    steps = [{"label": str(e), "method": "animate", "args": [[str(e)], how]} for e in epochs]
    return {"active": len(epochs) - 1, "currentvalue": {"prefix": "epoch "}, "pad": {"t": 45}, "steps": steps}


def _layout(title: str, projected: Projection, clouds: list[Array]) -> dict[str, Any]:
    points = np.concatenate(clouds)
    looks = {"gridcolor": "#EEEEEE", "zerolinecolor": "#DDDDDD"}
    layout: dict[str, Any] = {
        "title": {"text": title, "x": 0.02},
        "template": "plotly_white",
        "margin": {"l": 60, "r": 20, "t": 110, "b": 50},
        "legend": {"itemsizing": "constant", "tracegroupgap": 0, "font": {"size": 11}},
    }
    if points.shape[1] == 3:
        axes = {
            f"{name}axis": {"title": {"text": label}, "range": bounds, **looks}
            for name, label, bounds in zip("xyz", projected.labels, cube(points).tolist(), strict=True)
        }
        return layout | {"scene": {**axes, "aspectmode": "cube", "camera": CAMERA}}
    low, high = points.min(0), points.max(0)
    pads = np.where(high > low, 0.05 * (high - low), 0.5)
    for name, label, bounds in zip(
        "xy", projected.labels, np.stack([low - pads, high + pads], axis=1).tolist(), strict=True
    ):
        layout[f"{name}axis"] = {"title": {"text": label}, "range": bounds, **looks}
    if projected.height is None:
        layout["yaxis"]["scaleanchor"] = "x"
    return layout
