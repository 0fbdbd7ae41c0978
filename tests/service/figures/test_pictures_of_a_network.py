"""Connectivity, movement, rasters and pruning curves."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from PIL import Image, ImageSequence

from service.figures.channels import Channels, draw_channels
from service.figures.cloud import Array, Cloud, views
from service.figures.cloud_html import positions_html
from service.figures.cloud_png import positions_png
from service.figures.connectivity import by_module, connectivity_png
from service.figures.movement import STEPS, movement_gif
from service.figures.networks import draw_clouds, draw_epochs
from service.figures.pruning import draw_pruning
from service.figures.raster import Raster, draw_raster
from service.figures.style import COLOURS, MARKERS, SILENT_COLOUR


def _cloud(dimensions: int, n: int = 30) -> Cloud:
    draw = np.random.default_rng(0)
    time = draw.uniform(0, 40, n)
    time[3] = np.nan
    return Cloud(
        draw.normal(size=(n, dimensions)),
        draw.normal(size=(n, n)) * (1 - np.eye(n)),
        draw.gamma(2, 2, n),
        "a title",
        draw.integers(0, 4, n),
        draw.integers(-1, 10, n),
        draw.integers(-1, 64, n),
        time,
    )


def _rgb(picture: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_every_view_colours_the_neurons_in_its_own_way(dimensions: int) -> None:
    cloud = _cloud(dimensions)
    assert list(views(cloud)) == ["class", "module", "channel", "time", "rate"]
    pictures = [positions_png(cloud, view) for view in views(cloud)]
    assert len(set(pictures)) == 5
    page = positions_html(cloud)
    assert all(f'"label":"{view}"' in page for view in views(cloud))
    assert "mean spike time" in page and "preferred input channel" in page


@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_channels_are_among_the_neurons_above_and_by_themselves_below(dimensions: int) -> None:
    cloud = _cloud(dimensions)
    figure = draw_channels([Channels(cloud, 0.1 * np.ones((64, dimensions)), "a title")])
    above, below = (axes.collections for axes in figure.axes[:2])
    assert [len(np.asarray(one.get_offsets())) for one in above] == [30, 64]
    assert [len(np.asarray(one.get_offsets())) for one in below] == [64]
    if dimensions == 1:
        neurons, channels = (np.asarray(one.get_offsets()) for one in above)
        np.testing.assert_array_equal(neurons[:, 0], cloud.positions[:, 0])
        assert (neurons[:, 1] < 0).all() and channels[:, 1].tolist() == list(range(64))


def test_networks_side_by_side_share_one_legend_of_classes() -> None:
    clouds = [
        replace(_cloud(2), preferred_class=np.resize(classes, 30)) for classes in ([0, 10], [10, -1, 2])
    ]
    wanted = ["class 0", "class 2", "class 10", "silent"]
    for figure in (draw_clouds(clouds), draw_clouds(clouds[::-1])):
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == wanted
        marks = {mark.get_label(): mark for mark in legend.legend_handles if isinstance(mark, Line2D)}
        looks = [(marks[name].get_marker(), marks[name].get_color()) for name in wanted]
        assert looks == [("o", COLOURS[0]), ("o", COLOURS[2]), ("s", COLOURS[3]), ("o", SILENT_COLOUR)]
    snapshots = [(0, clouds[0].positions), (3, clouds[0].positions)]
    (legend,) = draw_epochs(clouds[0], snapshots).legends
    assert [text.get_text() for text in legend.get_texts()] == ["class 0", "class 10"]
    by_rate = Cloud(clouds[0].positions, clouds[0].weights, clouds[0].rate, "no classes")
    assert not draw_clouds([by_rate]).legends


def test_layers_have_marks_of_their_own_in_every_group() -> None:
    cloud = replace(_cloud(2), layer=np.repeat([0, 1, 2], 10))
    known = views(cloud)
    assert list(known) == ["class", "module", "layer", "channel", "time", "rate"]
    for name in ("class", "module", "layer"):
        groups = known[name]
        assert isinstance(groups, list)
        assert sorted(np.concatenate([one.members for one in groups]).tolist()) == list(range(30))
        for one in groups:
            (layer,) = set((one.members // 10).tolist())
            assert one.label.endswith(f"layer {layer}")
            assert one.shape in {(layer + 3 * turn) % len(MARKERS) for turn in (0, 1)}
    assert positions_png(cloud) != positions_png(replace(cloud, layer=None))
    page = positions_html(cloud).replace("\\u003c", "<").replace("\\u003e", ">")
    assert "<br>layer 2<br>" in page


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_movement_goes_through_all_snapshots(dimensions: int) -> None:
    cloud = _cloud(dimensions)
    start = cloud.positions * 1.5
    picture = Image.open(io.BytesIO(movement_gif(cloud, [(0, start), (5, start / 2), (9, cloud.positions)])))
    frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
    assert len(frames) == 2 * STEPS + 1
    assert all((one != other).any() for one, other in pairwise(frames))
    assert picture.info["loop"] == 0


def test_neurons_are_in_order_of_module_the_largest_first() -> None:
    module = np.array([2, 0, 2, 1, 1, 2, 0])
    strength = np.zeros((7, 7))
    strength[5, 0], strength[0, 1], strength[4, 3] = 3.0, 1.0, 2.0
    # Summed strengths: 4, 1, 0, 2, 2, 3, 0. Of modules of one size the lower number comes first.
    assert by_module(module, strength).tolist() == [0, 5, 2, 1, 6, 3, 4]


def test_connectivity_tells_signs_and_missing_synapses_apart() -> None:
    weights = np.full((20, 20), 0.5)
    weights[:10] = -0.5
    mask = ~np.eye(20, dtype=bool)
    mask[:, 15:] = False
    pixels = _rgb(connectivity_png(weights, mask, None, "a title"))
    orange, purple, grey = (
        (pixels == colour).all(2).sum() for colour in ([127, 59, 8], [45, 0, 75], [228] * 3)
    )
    share = np.array([orange, purple, grey]) / (orange + purple + grey)
    assert share == pytest.approx([0.5 * 0.75 - 5 / 400, 0.5 * 0.75 - 10 / 400, 0.25 + 15 / 400], abs=0.04)
    assert len(connectivity_png(weights * 0, mask & False, np.zeros(20), ""))


def _raster(positions: Array | None) -> Raster:
    return Raster(
        input_times=np.array([1.0, 5.0]),
        input_channels=np.array([3, 60]),
        times=np.array([4.0, 10.0, 12.0, 30.0]),
        neurons=np.array([1, 1, 0, 2]),
        duration=50.0,
        title="a title",
        positions=positions,
        delay_floor=1.0,
        delay_scale=10.0,
    )


def test_raster_shows_spikes_at_the_place_of_their_neuron_and_what_they_can_reach() -> None:
    positions = np.array([[0.0], [1.0], [3.0]])
    figure = draw_raster(_raster(positions))
    above, below = figure.axes
    assert [np.asarray(c.get_offsets()).tolist() for c in above.collections] == [[[1, 3], [5, 60]]]
    spikes = next(c for c in below.collections if isinstance(c, PathCollection))
    time, height = np.asarray(spikes.get_offsets()).T
    assert time.tolist() == [4, 10, 12, 30]
    # Places along the line, up to its sign and origin.
    assert np.abs(np.diff(height)) == pytest.approx([0, 1, 3])
    cone = next(c for c in below.collections if not isinstance(c, PathCollection))
    corners = np.asarray(cone.get_paths()[0].vertices)
    apex = height[0]
    inside = corners[corners[:, 0] < 33 - 1e-9]  # the picture ends at 1.1 times the last spike
    reached = 4 + 1 + 10 * np.abs(inside[:, 1] - apex)
    assert inside[:, 0] == pytest.approx(reached, abs=0.2)


def test_raster_without_places_is_in_order_of_first_spikes() -> None:
    (spikes,) = draw_raster(_raster(None)).axes[1].collections
    assert np.asarray(spikes.get_offsets())[:, 1].tolist() == [0, 0, 1, 2]
    nothing = np.array([])
    silent = Raster(nothing, nothing, nothing, np.array([], int), 50.0, "", np.zeros((3, 2)))
    assert len(draw_raster(silent).axes) == 2


def test_pruning_curves_are_means_with_standard_errors() -> None:
    shares = (0.0, 1.0)
    curve = np.array([[0.9 - share * (1 + n) / 10 for n in range(3)] for share in shares])
    axes = draw_pruning({"magnitude": curve, "length": curve}, shares, "a title", "test").axes[0]
    line, low, high = (np.asarray(one.get_ydata(), float) for one in axes.lines[:3])
    assert axes.lines[0].get_color() == COLOURS[0]
    assert line == pytest.approx([0.9, 0.7])
    assert high - line == pytest.approx([0, 0.1 / np.sqrt(3)]) and line - low == pytest.approx(high - line)
