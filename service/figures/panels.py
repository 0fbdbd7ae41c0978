"""Networks side by side in one figure, each in a plane."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from service.figures.cloud import Array, Cloud, projection
from service.figures.style import new_figure, plain, titled

COLUMNS = 3


def panels_of(count: int, height: float) -> tuple[Figure, list[Any]]:
    """A figure with `count` pictures of that height (inches), COLUMNS in a row at most."""
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = new_figure(max(4.0 * columns, 5.0), height * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels


def frame(axes: Any, labels: tuple[str, str], title: str) -> None:
    """Axes of a plane: their names, equal scales where both are of space, and a title."""
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if labels[1].startswith(("y", "PC")):
        axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    plain(axes)
    titled(axes, title, 10)


def in_plane(cloud: Cloud) -> tuple[Array, tuple[str, str]]:
    """Points [N, 2] and their axes: of three dimensions or more the first two principal components."""
    to_points, labels = plane_of(cloud)
    return to_points(cloud.positions), labels


def plane_of(cloud: Cloud) -> tuple[Callable[[Array], Array], tuple[str, str]]:
    """What takes positions into the plane of `in_plane`, and its axes.

    In one dimension only positions of all the neurons: their rate is the other axis.
    """
    dimensions = cloud.positions.shape[1]
    if dimensions < 3:
        shown = projection(cloud)
        return shown.points, (shown.labels[0], shown.labels[1])
    centre = cloud.positions.mean(0)
    _, spread, axes = np.linalg.svd(cloud.positions - centre, full_matrices=False)
    share = 100 * spread**2 / max(float((spread**2).sum()), np.finfo(float).tiny)
    names = tuple(f"PC {k + 1} of {dimensions}-D (units of space), {share[k]:.0f} %" for k in range(2))
    return lambda positions: (positions - centre) @ axes[:2].T, (names[0], names[1])
