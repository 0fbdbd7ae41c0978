import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.figures.cloud import (
    Array,
    Cloud,
    class_groups,
    cube,
    dot_areas,
    module_groups,
    projection,
    strongest_edges,
)
from service.figures.cloud_html import positions_html
from service.figures.cloud_png import positions_png
from service.figures.delays import delays_png
from service.figures.style import COLOURS


def _cloud(dimensions: int, n: int = 40, seed: int = 0) -> Cloud:
    rng = np.random.default_rng(seed)
    preferred = rng.integers(0, 20, n)
    preferred[0] = -1
    weights = rng.normal(size=(n, n)) * (1 - np.eye(n))
    positions = rng.normal(size=(n, dimensions)).astype(np.float32)
    return Cloud(positions, weights, rng.gamma(2, 3, n), "a title", rng.integers(0, 9, n), preferred)


def _pixels(picture: bytes) -> Array:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return np.asarray(image.convert("RGB"))


def _count(pixels: Array, colour: str) -> int:
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((pixels == rgb).all(2).sum())


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_up_to_three_dimensions_are_shown_as_they_are(dimensions: int) -> None:
    cloud = _cloud(dimensions)
    shown = projection(cloud)
    points = shown.points(cloud.positions)
    np.testing.assert_array_equal(points[:, :dimensions], cloud.positions)
    assert len(shown.labels) == points.shape[1] == max(2, dimensions)
    assert all("(units of space)" in label for label in shown.labels[:dimensions])
    if dimensions == 1:
        np.testing.assert_array_equal(points[:, 1], cloud.rate)
        assert shown.labels[1] == "rate (spikes per sample)"


@pytest.mark.parametrize("dimensions", [4, 7])
def test_more_dimensions_are_shown_by_principal_components(dimensions: int) -> None:
    cloud = _cloud(dimensions)
    shown = projection(cloud)
    variance = shown.points(cloud.positions).var(0)
    eigenvalues = np.linalg.eigvalsh(np.cov(cloud.positions.T, bias=True))[::-1]
    np.testing.assert_allclose(variance, eigenvalues[:3], rtol=1e-4)
    share = 100 * eigenvalues[0] / eigenvalues.sum()
    assert shown.labels[0] == f"PC 1 (units of space), {share:.0f} % of variance"


def test_two_neurons_in_five_dimensions_keep_their_distance() -> None:
    positions = np.array([[0.0, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
    points = projection(Cloud(positions, np.zeros((2, 2)), np.ones(2), "")).points(positions)
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(np.sqrt(55))


def test_strongest_edges_are_those_of_a_sorted_list() -> None:
    weights = np.random.default_rng(1).normal(size=(60, 60))
    weights[np.abs(weights) < 0.5] = 0
    edges = strongest_edges(weights)
    listed = sorted(((-abs(w), i, j) for (i, j), w in np.ndenumerate(weights) if w))
    count = -(-len(listed) * 3 // 100)
    assert list(zip(edges.pre, edges.post, strict=True)) == [(i, j) for _, i, j in listed[:count]]
    np.testing.assert_array_equal(edges.weight, weights[edges.pre, edges.post])
    assert edges.existing == len(listed)
    assert len(strongest_edges(np.ones((200, 200))).weight) == 400
    assert len(strongest_edges(np.zeros((3, 3))).weight) == 0


def test_a_network_with_few_synapses_still_shows_some() -> None:
    weights = np.zeros((40, 40))
    weights[0, 1:31] = np.arange(1, 31)
    edges = strongest_edges(weights)
    assert edges.weight.tolist() == list(range(30, 0, -1))  # 3 % would be a single one
    assert len(strongest_edges(np.ones((20, 20))).weight) == 40


def test_classes_look_different_up_to_35() -> None:
    groups = class_groups(np.array([-1, *range(35), 3]))
    assert [list(group.members) for group in groups[3:5]] == [[4, 36], [5]]
    assert (groups[-1].label, list(groups[-1].members)) == ("silent", [0])
    assert len({(group.colour, group.shape) for group in groups}) == 36


def test_largest_modules_have_the_colours() -> None:
    module = np.repeat(np.arange(10), np.arange(1, 11))  # module 9 has 10 neurons
    groups = module_groups(module)
    assert [group.label for group in groups] == [*(f"module {m}" for m in range(9, 2, -1)), "smaller modules"]
    assert [len(group.members) for group in groups] == [10, 9, 8, 7, 6, 5, 4, 6]
    assert [group.colour for group in groups[:7]] == list(COLOURS)


def test_areas_are_linear_in_the_rate() -> None:
    np.testing.assert_allclose(dot_areas(np.array([0.0, 1.0, 4.0]), 10, 50), [10, 20, 50])
    np.testing.assert_allclose(dot_areas(np.zeros(2), 10, 50), [10, 10])


def test_cube_has_equal_sides_and_holds_all_points() -> None:
    points = np.random.default_rng(2).normal(size=(20, 3)) * [1, 5, 2]
    bounds = cube(points)
    np.testing.assert_allclose(np.diff(bounds, axis=1), np.ptp(points, axis=0).max() * 1.04)
    assert (bounds[:, 0] < points.min(0)).all() and (bounds[:, 1] > points.max(0)).all()
    np.testing.assert_allclose(cube(np.full((2, 3), 7.0)), [[6.5, 7.5]] * 3)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_still_picture_shows_every_class(dimensions: int) -> None:
    pixels = _pixels(positions_png(_cloud(dimensions)))
    assert pixels.shape == (945, 1260, 3)
    assert all(_count(pixels, colour) > 30 for colour in COLOURS)
    assert _count(pixels, "#FFFFFF") > pixels.shape[0] * pixels.shape[1] / 2


def test_dots_grow_with_the_rate_and_edges_are_drawn() -> None:
    def drawn(rates: list[float], weight: float) -> Array:
        weights = np.array([[0, weight], [0, 0]])
        cloud = Cloud(np.array([[0.0, 0], [1, 1]]), weights, np.array(rates), "", None, np.array([0, 1]))
        return _pixels(positions_png(cloud))

    first, second = drawn([1, 9], 0.0), drawn([9, 1], 0.0)
    assert _count(first, COLOURS[0]) < _count(second, COLOURS[0])
    assert _count(first, COLOURS[1]) > _count(second, COLOURS[1])
    with_edge = drawn([1, 9], 0.3)
    assert (with_edge[100:800, 150:950] != first[100:800, 150:950]).any(2).sum() > 500


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_a_single_neuron_and_no_colours(dimensions: int) -> None:
    cloud = Cloud(np.ones((1, dimensions)), np.zeros((1, 1)), np.zeros(1), "")
    assert len(np.unique(_pixels(positions_png(cloud)))) > 2
    assert "neuron 0" in positions_html(cloud)


def _figure(page: str) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Traces, layout and frames in a page."""
    decode = json.JSONDecoder().raw_decode
    start = page.index("[", page.rindex("Plotly.newPlot("))
    traces, end = decode(page, start)
    layout, _ = decode(page, page.index("{", end))
    frames = (
        decode(page, page.index("[", page.rindex("Plotly.addFrames(")))[0]
        if "Plotly.addFrames(" in page
        else []
    )
    return traces, layout, frames


def _coordinates(trace: dict[str, Any]) -> Array:
    axes = [trace[name] for name in "xyz" if name in trace]
    return np.stack([np.frombuffer(base64.b64decode(axis["bdata"]), axis["dtype"]) for axis in axes], 1)


@pytest.mark.parametrize(("dimensions", "kind"), [(1, "scatter"), (2, "scatter"), (3, "scatter3d")])
def test_page_holds_all_it_needs(dimensions: int, kind: str) -> None:
    cloud = _cloud(dimensions)
    page = positions_html(cloud)
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)\s*=", page)
    assert len(page) > 3_000_000  # the library is inside
    traces, layout, frames = _figure(page)
    assert {trace["type"] for trace in traces} == {kind} and not frames and "sliders" not in layout
    dots = [trace for trace in traces if trace["mode"] == "markers"]
    assert [button["label"] for button in layout["updatemenus"][0]["buttons"]] == [
        "class", "module", "rate"
    ]  # fmt: skip
    for button in layout["updatemenus"][0]["buttons"]:  # each shows every neuron once, and all edges
        (change,) = button["args"]
        seen = [trace for trace, shown in zip(traces, change["visible"], strict=True) if shown]
        assert [trace for trace in seen if trace["mode"] == "lines"] == traces[: len(traces) - len(dots)]
        shown = np.concatenate([_coordinates(trace) for trace in seen if trace["mode"] == "markers"])
        np.testing.assert_allclose(sorted(shown[:, 0]), sorted(cloud.positions[:, 0]), rtol=1e-6)
    assert [trace["visible"] for trace in traces] == layout["updatemenus"][0]["buttons"][0]["args"][0][
        "visible"
    ]


def test_edges_of_the_page_join_their_neurons() -> None:
    cloud = _cloud(3)
    edges = strongest_edges(cloud.weights)
    lines = [t for t in _figure(positions_html(cloud))[0] if t["mode"] == "lines"]
    found = {
        (t["name"], tuple(np.concatenate([start, end]).tolist()))
        for t in lines
        for start, end, gap in _coordinates(t).reshape(-1, 3, 3)
        if np.isnan(gap).all()
    }
    expected = {
        (
            "synapses, w > 0" if w > 0 else "synapses, w < 0",
            (*cloud.positions[i].tolist(), *cloud.positions[j].tolist()),
        )
        for i, j, w in zip(edges.pre, edges.post, edges.weight, strict=True)
    }
    assert found == expected


def test_slider_moves_the_neurons_through_time() -> None:
    cloud = _cloud(2)
    early = cloud.positions * 2 + 1
    traces, layout, frames = _figure(positions_html(cloud, [(0, early), (20, cloud.positions)]))
    assert [step["label"] for step in layout["sliders"][0]["steps"]] == ["0", "20"]
    assert layout["sliders"][0]["active"] == 1
    assert [frame["name"] for frame in frames] == ["0", "20"]
    for trace, then, now in zip(traces, frames[0]["data"], frames[1]["data"], strict=True):
        np.testing.assert_array_equal(_coordinates(now), _coordinates(trace))
        np.testing.assert_allclose(_coordinates(then), _coordinates(trace) * 2 + 1, rtol=1e-5, atol=1e-6)
    low, high = np.array([layout["xaxis"]["range"], layout["yaxis"]["range"]]).T
    assert (low < early.min(0)).all() and (high > early.max(0)).all()


def test_text_of_a_title_is_not_a_tag() -> None:
    cloud = _cloud(2)
    page = positions_html(
        Cloud(cloud.positions, cloud.weights, cloud.rate, "</script><script>alert(1)</script>")
    )
    assert "<script>alert(1)" not in page


def test_delays_weighted_and_plain() -> None:
    n = 30
    rng = np.random.default_rng(3)
    delays, mask = rng.uniform(1, 60, (n, n)), ~np.eye(n, dtype=bool)
    weights = rng.normal(size=(n, n)) * (delays < 20)
    pixels = _pixels(delays_png(delays, weights, mask, "a title"))
    assert pixels.shape == (630, 1080, 3)
    blue = (pixels == [0x00, 0x72, 0xB2]).all(2)
    grey = (pixels == [0xBB, 0xBB, 0xBB]).all(2)
    assert grey.sum() > 20_000 and blue.sum() > 500
    # No weight lies beyond 20 of 60 ms; the legend is at the right, at the top.
    body = slice(250, 520)
    assert not blue[body, 600:].any() and blue[body, :600].any() and grey[body, 600:].any()


def test_delays_that_are_all_alike_and_none_at_all() -> None:
    equal, ones = np.full((4, 4), 1.0), np.ones((4, 4))
    mask = ~np.eye(4, dtype=bool)
    silent = _pixels(delays_png(equal, ones * 0, mask, ""))
    assert _count(silent, COLOURS[0]) == 0 and _count(silent, "#BBBBBB") > 1000
    none = _pixels(delays_png(equal, ones, ~mask & False, ""))
    assert _count(none, "#BBBBBB") < 100 and len(np.unique(none)) > 2
