"""The front, parallel coordinates and importances."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from search import Objective
from service.figures.archive import draw_archive
from service.figures.front import draw_best_so_far, draw_front
from service.figures.importance import draw_importance
from service.figures.parallel import ABSENT, draw_parallel
from service.figures.style import COLOURS, FAINT

OBJECTIVES = [Objective("accuracy", "max"), Objective("length", "min"), Objective("rate", "min")]


def _trials(n: int = 20) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    names = ["accuracy", "length", "rate"]
    values = {name: draw.uniform(size=n) for name in names} | {f"{name}_sem": np.nan for name in names}
    values |= {f"{name}_error": 0.01 for name in names}
    return pd.DataFrame(values | {"trial": range(n)})


@pytest.mark.parametrize("count", [2, 3])
def test_front_is_told_from_the_rest(count: int) -> None:
    trials = _trials()
    figure = draw_front(trials, [3, 5], OBJECTIVES[:count], str.upper)
    assert len(figure.axes) == count - 1
    rest = next(line for line in figure.axes[0].lines if line.get_label() == "other trials")
    assert np.size(rest.get_xdata()) == 18
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert shown == {"3", "5"}
    assert figure.axes[0].get_xlabel() == "LENGTH, less is better"


def test_between_trials_of_the_front_there_is_only_the_worse_one() -> None:
    trials = pd.DataFrame({"trial": [0, 1, 2], "accuracy": [0.9, 0.8, 0.79], "length": [20.0, 10.0, 11.0]})
    trials = trials.assign(accuracy_error=0.02, length_error=1.0)
    axes = draw_front(trials, [0, 1], OBJECTIVES[:2], str, alike=[2]).axes[0]
    stairs = next(line for line in axes.lines if line.get_drawstyle() == "steps-post")
    assert np.asarray(stairs.get_ydata(), float).tolist() == [
        0.8,
        0.9,
    ]  # longer wiring, better only from 20 on
    hollow = next(line for line in axes.lines if line.get_label() == "not to be told from the front")
    assert np.size(hollow.get_xdata()) == 1 and hollow.get_markerfacecolor() == "none"
    assert "axis starts at" in axes.get_ylabel()


def test_best_so_far_of_what_should_be_small() -> None:
    figure = draw_best_so_far(_trials(), OBJECTIVES[1], str)
    best = next(line for line in figure.axes[0].lines if line.get_label() == "best so far")
    np.testing.assert_allclose(
        np.asarray(best.get_ydata(), float), np.minimum.accumulate(_trials()["length"])
    )


def test_parallel_lines_cross_each_axis_at_their_value() -> None:
    trials = _trials(9).assign(
        cost=10.0 ** np.arange(-4, 5), kind=list("abcabcabc"), only=[1.0, np.nan, 3.0] * 3
    )
    figure = draw_parallel(trials, ["cost", "kind", "only"], OBJECTIVES[:1], [4], str, {"cost"})
    (lines,) = (c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    order = np.argsort(trials["accuracy"].to_numpy())
    heights = np.array([np.asarray(path.vertices)[:, 1] for path in lines.get_paths()])
    assert heights[:, 0] == pytest.approx(np.linspace(0, 1, 9)[order])  # equal steps on a logarithmic axis
    assert heights[:, 1] == pytest.approx(np.array([1 / 6, 1 / 2, 5 / 6] * 3)[order])
    assert heights[:, 2] == pytest.approx(np.array([0.25, ABSENT, 0.75] * 3)[order])
    assert heights[-1, 3] == 1 and heights[0, 3] == 0  # the best is drawn last
    widths = np.asarray(lines.get_linewidth())
    assert widths[order == 4] > 2 and (widths[order != 4] < 1).all()


def test_importance_that_means_nothing_is_pale() -> None:
    rows = [
        {"objective": o, "field": f, "importance": i, "error": 0.1, "explained": explained}
        for o, explained in (("good", 0.8), ("bad", -0.2))
        for f, i in (("x", 0.5), ("y", 0.1))
    ]
    figure = draw_importance(pd.DataFrame(rows), str)
    bars = [to_hex(axes.patches[0].get_facecolor()).upper() for axes in figure.axes]
    assert bars == [COLOURS[0], FAINT]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["y", "x"]


def test_cells_of_an_archive_have_the_colour_of_their_elites() -> None:
    elites = pd.DataFrame({"x_cell": [0, 2], "y_cell": [1, 0], "trial": [7, 9], "accuracy": [0.5, 1.0]})
    edges = [np.linspace(0, 3, 4), np.linspace(0, 10, 3)]
    figure = draw_archive([("as found", elites)], ["x", "y"], edges, "accuracy", ["X", "Y", "A"])
    axes = figure.axes[0]
    (mesh,) = axes.collections
    shown: npt.NDArray[np.float64] = np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan).reshape(2, 3)
    np.testing.assert_array_equal(shown, [[np.nan, np.nan, 1.0], [0.5, np.nan, np.nan]])
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places == {"7": (0.5, 7.5), "9": (2.5, 2.5)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("X", "Y")
