"""How a network moved in training, as an animated picture."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from service.figures.cloud import Array, Cloud, Scale, cube, dot_areas, projection, strongest_edges, views
from service.figures.cloud_png import (
    LARGEST_DOT,
    SMALLEST_DOT,
    draw_edges,
    draw_groups,
    draw_scale,
    frame_3d,
)
from service.figures.style import INK, MUTED, framed_figure, plain, titled

STEPS = 4
"""Pictures from one snapshot to the next."""
STEP_MS, REST_MS = 120, 900
"""How long a picture on the way is shown, and one of a snapshot."""


def movement_gif(cloud: Cloud, snapshots: Sequence[tuple[int, Array]]) -> bytes:
    """The neurons on their way through training, as an animated GIF.

    Between snapshots neurons move in straight lines: what is known is where they were at the snapshots, and
    the picture says so. Colours, sizes and edges are those of `cloud` throughout.

    Args:
        cloud: the network as it is at last.
        snapshots: epoch and positions [N, D] at two times or more, in order; the last is that of `cloud`.
    """
    frames = _in_one_palette(_drawn(cloud, snapshots))
    rests = [REST_MS if k % STEPS == 0 else STEP_MS for k in range(len(frames))]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=rests, loop=0, disposal=1)
    return buffer.getvalue()


def _in_one_palette(canvases: Iterator[Array]) -> list[Image.Image]:
    """Pictures with the colours of the first, which are those of all; to find them takes longest."""
    frames: list[Image.Image] = []
    for canvas in canvases:
        full = Image.fromarray(canvas)
        if not frames:
            frames.append(full.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))
        else:
            frames.append(full.quantize(palette=frames[0], dither=Image.Dither.NONE))
    return frames


def _drawn(cloud: Cloud, snapshots: Sequence[tuple[int, Array]]) -> Iterator[Array]:
    """Pixels [H, W, 3] of one picture after the other."""
    projected, edges = projection(cloud), strongest_edges(cloud.weights)
    places = [projected.points(positions) for _, positions in snapshots]
    epochs = [epoch for epoch, _ in snapshots]
    in_space = places[0].shape[1] == 3
    # A cube keeps clear of the frame by itself.
    frame = (0.1, 0.4, 5.0, 4.65) if in_space else (0.65, 0.75, 5.3, 4.65)
    figure = framed_figure(5.4, 5.0, frame)
    axes: Any = figure.add_subplot(projection="3d" if in_space else None)
    _frame(axes, np.concatenate(places), projected.labels)
    titled(axes, cloud.title, 11)
    note = f"known at epochs {', '.join(map(str, epochs))}; straight lines between"
    figure.supxlabel(note, y=0.02, fontsize=8, color=MUTED)
    clock = axes.text2D if in_space else axes.text
    shown = clock(0.98, 0.97, "", transform=axes.transAxes, ha="right", va="top", fontsize=11, color=INK)
    canvas: Any = figure.canvas
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)  # axes and words stay, and are drawn once
    for label, points in _way(epochs, places):
        shown.set_text(f"epoch {label}")
        before = {id(artist) for artist in axes.collections}
        draw_edges(axes, points, edges)
        _draw_neurons(axes, points, cloud)
        canvas.restore_region(still)
        moved = [one for one in axes.collections if id(one) not in before]
        for artist in [*moved, shown]:
            if hasattr(artist, "do_3d_projection"):
                artist.do_3d_projection()
            axes.draw_artist(artist)
        yield np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
        for artist in moved:
            artist.remove()


def _way(epochs: Sequence[int], places: Sequence[Array]) -> Iterator[tuple[str, Array]]:
    """When and where: each snapshot, and steps of equal length to the next."""
    for k in range(len(places) - 1):
        yield str(epochs[k]), places[k]
        for step in range(1, STEPS):
            share = step / STEPS
            yield f"{epochs[k]} to {epochs[k + 1]}", (1 - share) * places[k] + share * places[k + 1]
    yield str(epochs[-1]), places[-1]


def _draw_neurons(axes: Any, points: Array, cloud: Cloud) -> None:
    areas = dot_areas(cloud.rate, SMALLEST_DOT, LARGEST_DOT)
    view = next(iter(views(cloud).values()))
    if isinstance(view, Scale):
        draw_scale(axes, points, view, areas)
    else:
        draw_groups(axes, points, view, areas)


def _frame(axes: Any, points: Array, labels: tuple[str, ...]) -> None:
    if points.shape[1] == 3:
        frame_3d(axes, points, labels)
        return
    bounds = cube(points) if labels[1].endswith("(units of space)") else _box(points)
    axes.set(xlabel=labels[0], ylabel=labels[1], xlim=bounds[0], ylim=bounds[1])
    plain(axes)


def _box(points: Array) -> Array:
    """Bounds [K, 2] around `points` [M, K], each axis by itself."""
    low, high = points.min(0), points.max(0)
    pads = np.where(high > low, 0.06 * (high - low), 0.5)
    return np.stack([low - pads, high + pads], axis=1)
