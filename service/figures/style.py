"""How still pictures look, and how they become files."""

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Okabe and Ito, "Color universal design" (2008), without black."""
MARKERS = ("o", "s", "D", "^", "v")
POSITIVE_COLOUR, NEGATIVE_COLOUR = "#B35806", "#542788"
SILENT_COLOUR = "#E4E4E4"
INK, MUTED, FAINT = "#333333", "#777777", "#DDDDDD"
SCALE = "cividis"
"""Colours of numbers, for all kinds of colour vision (Nunez, Anderton, Renslow 2018)."""
DPI = 150
COMPRESSION = 3
"""Of PNG: Pillow's own, 6, takes a third longer for a tenth of the bytes."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size (inches) that belongs to no screen."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def framed_figure(width: float, height: float, frame: tuple[float, float, float, float]) -> Figure:
    """An empty figure of that size (inches) whose axes fill `frame`: left, bottom, right, top.

    For what is drawn of every trial: to find out what room the labels take costs as much as to draw them.
    """
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    left, bottom, right, top = frame
    figure.subplots_adjust(left / width, bottom / height, right / width, top / height)
    return figure


def plain(axes: Any) -> None:
    """Take the frame of flat axes back, so that what they hold stands out."""
    axes.tick_params(which="both", color=FAINT, labelcolor=INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set(fontsize=10, color=INK)


def titled(axes: Any, title: str, size: float = 12) -> None:
    """A title at the left."""
    axes.set_title(title, loc="left", fontsize=size, color=INK)


def png(figure: Figure) -> bytes:
    """A figure as PNG; without `savefig`, which lays everything out once more and stores an empty alpha."""
    canvas, buffer = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
    Image.fromarray(pixels).save(buffer, "PNG", dpi=(figure.dpi, figure.dpi), compress_level=COMPRESSION)
    figure.set_layout_engine("none")  # what was laid out once stays for the next file
    return buffer.getvalue()


def svg(figure: Figure) -> bytes:
    """A figure as SVG; its text is drawn, so that it looks the same without the font."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    figure.set_layout_engine("none")
    return buffer.getvalue()
