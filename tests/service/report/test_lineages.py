"""What a report says of a population: on a record made by hand, whose lineages are known."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from search import Objective
from service.config.load import load
from service.config.sweep import dump
from service.control.tasks import schemas_of
from service.figures.lineages import OTHERS, draw_fields, draw_members, draw_tree, founder_colours
from service.figures.style import COLOURS, INK
from service.record.plan import MORE_SEEDS, replaced_reason
from service.record.record import Record
from service.report.contents import overview
from service.report.items import Absent, Drawn
from service.report.lineages import Evolved, evolution, founder_shares, read_evolved
from service.report.page import Opening, render
from service.report.sweep_data import read_sweep_data
from service.results.sweep import Sweep

SWEEP = """\
name: bred
data: {name: digits}
learner: {hidden: 10, epochs: 8, schedule: constant, replicates: 2}
space:
  learner.wiring_cost: {log: [1e-4, 1e-1]}
  learner.dimensions: {choice: [1, 2, 3, 4]}
search:
  {sampler: random, trials: 12, evolution: {population: 4, ready: 2, moves: {dimension_up: 0.5, split: 0.2}}}
objectives: [{metric: loss, goal: min}]
"""
BORN = {4: (1, 0, 2, "dimension_up"), 5: (4, 2, 4, "perturb"), 6: (5, 3, 6, "split")}
"""Children: parent, the trial that each replaces, the epoch, the move."""
ENDS = {0: 2, 1: 8, 2: 4, 3: 6, 4: 8, 5: 8, 6: 8}
DIMENSIONS = {0: 1, 1: 2, 2: 3, 3: 4, 4: 3, 5: 3, 6: 3}
FOUNDERS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 1, 5: 1, 6: 1}


def trial_row(trial: int) -> dict[str, Any]:
    child = next((one for one, (_, replaced, _, _) in BORN.items() if replaced == trial), None)
    row = {
        "trial": trial,
        "state": "complete" if child is None else "pruned",
        "reason": None if child is None else replaced_reason(child),
        "epochs": ENDS[trial],
        "replicates": 2,
        "generation": 0,
        "wiring_cost": 10.0 ** -(1 + trial % 3),
        "dimensions": DIMENSIONS[trial],
        "loss": 1.0 - 0.1 * trial,
    }
    if trial in BORN:
        parent, replaced, epoch, move = BORN[trial]
        structure = {"learner.hidden": 11} if trial == 6 else {}
        known = {"founder": 1, "steps": [{"name": move, "values": {}}], "seed": trial, "structure": structure}
        row |= {
            "parent": parent,
            "replaces": replaced,
            "birth_epoch": epoch,
            "move": move,
            "generation": trial - 3,
            "move_values": json.dumps(known),
        }
    return row


def xs(line: Line2D) -> list[float]:
    return [float(x) for x in np.asarray(line.get_xdata())]


def ys(line: Line2D) -> list[float]:
    return [float(y) for y in np.asarray(line.get_ydata())]


def bred(folder: Path, shapes: bool = True) -> Sweep:
    """Write it; `shapes`: as a version that measures them."""
    folder.mkdir()
    (folder / "asked.yaml").write_text(SWEEP)
    spec = load(folder / "asked.yaml")
    (folder / "sweep.yaml").write_text(dump(spec))
    again = {"move": MORE_SEEDS, "parent": 6, "trial": 7, "state": "complete", "generation": 3, "epochs": 8}
    with Record.open(folder, schemas_of(spec)) as record:
        for trial, end in ENDS.items():
            first = BORN[trial][2] if trial in BORN else 1
            epochs = [
                {"trial": trial, "replicate": r, "epoch": e, "loss": 3.0 - 0.1 * e - 0.01 * trial + r}
                for e in range(first, end + 1)
                for r in range(2)
            ]
            topology = [
                {key: row[key] for key in ("trial", "replicate", "epoch")}
                | (
                    {"effective_dimension": DIMENSIONS[trial] - 0.5, "last_axis_share": 1e-6 * row["epoch"]}
                    if shapes
                    else {}
                )
                for row in epochs
                if row["epoch"] in (first, end)
            ]
            record.append_all({"epochs": epochs, "topology": topology, "trials": [trial_row(trial)]})
        record.append_all({"trials": [trial_row(6) | again]})
    return Sweep(folder)


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Evolved:
    found = read_evolved(bred(tmp_path_factory.mktemp("runs") / "bred"))
    assert found is not None
    return found


def test_members_have_their_founder_and_their_place(evolved: Evolved) -> None:
    members = evolved.members.set_index("trial")
    assert members["founder"].to_dict() == FOUNDERS
    assert members["place"].to_dict() == {0: 0, 1: 1, 2: 2, 3: 3, 4: 0, 5: 2, 6: 3}
    assert members["birth_epoch"].to_dict() == {0: 0, 1: 0, 2: 0, 3: 0, 4: 2, 5: 4, 6: 6}
    assert members["since"].to_dict() == {0: 0, 1: 0, 2: 0, 3: 0, 4: 2, 5: 4, 6: 6}
    assert members["end"].to_dict() == ENDS
    assert members["hidden"].to_dict() == dict.fromkeys(range(6), 10) | {6: 11}
    assert list(evolved.fields) == ["wiring_cost", "dimensions", "hidden"]
    loss = evolved.epochs.set_index(["trial", "epoch"])["loss"]
    assert loss[5, 6] == pytest.approx(3.0 - 0.6 - 0.05 + 0.5)
    assert evolved.shapes.set_index(["trial", "epoch"])["last_axis_share"][4, 8] == pytest.approx(8e-6)


def test_the_share_of_a_founder_grows_with_its_descendants(evolved: Evolved) -> None:
    shares = founder_shares(evolved.members).pivot(index="epoch", columns="founder", values="share")
    assert shares.sum(axis=1).eq(1).all()
    assert shares[1].to_dict() == {0: 0.25, 2: 0.5, 4: 0.75, 6: 1.0, 8: 1.0}
    assert shares[3].to_dict() == {0: 0.25, 2: 0.25, 4: 0.25, 6: 0.0, 8: 0.0}


def test_founders_with_children_have_colours(evolved: Evolved) -> None:
    assert founder_colours(evolved.members) == {1: COLOURS[0], 0: OTHERS, 2: OTHERS, 3: OTHERS}
    many = pd.DataFrame({"trial": range(20), "founder": [n % 10 for n in range(20)]})
    found = list(founder_colours(many).values())
    assert found == [*COLOURS, OTHERS, OTHERS, OTHERS]


@pytest.mark.parametrize(("goal", "best"), [("min", "cummin"), ("max", "cummax")])
def test_members_are_drawn_with_the_best_so_far(evolved: Evolved, goal: Any, best: str) -> None:
    figure = draw_members(evolved.epochs, evolved.members, [Objective("loss", goal)], str)
    (axes,) = figure.axes
    shown = next(line for line in axes.lines if to_hex(str(line.get_color())) == INK)
    by_epoch = evolved.epochs.groupby("epoch")["loss"].agg(goal)
    assert ys(shown) == getattr(by_epoch, best)().tolist()
    courses = [line for line in axes.lines if line is not shown and len(xs(line)) > 1]
    assert sorted(to_hex(str(line.get_color())).upper() for line in courses) == sorted(
        [COLOURS[0].upper()] * 4 + [OTHERS.upper()] * 3
    )


def test_the_tree_joins_each_child_to_its_parent(evolved: Evolved) -> None:
    (axes,) = draw_tree(evolved.members).axes
    lines = [(xs(line), ys(line)) for line in axes.lines]
    place = evolved.members.set_index("trial")["place"]
    for child, (parent, _, epoch, _) in BORN.items():
        assert ([epoch, epoch], [place[parent], place[child]]) in lines
        assert ([epoch, ENDS[child]], [place[child]] * 2) in lines
    assert [text.get_text() for text in axes.texts] == [str(trial) for trial in ENDS]


def test_fields_are_drawn_from_birth_to_end(evolved: Evolved) -> None:
    members = evolved.members.assign(kind=["b", "a", "b", "a", "a", "a", "a"])
    figure = draw_fields(members, ["wiring_cost", "kind"], {"wiring_cost"}, str)
    cost, kind = figure.axes[:2]
    assert cost.get_yscale() == "log" and kind.get_yscale() == "linear"
    assert [xs(line) for line in cost.lines] == [
        [BORN[trial][2] if trial in BORN else 0, end] for trial, end in ENDS.items()
    ]
    assert [round(ys(line)[0]) for line in kind.lines] == [1, 0, 1, 0, 0, 0, 0]
    assert len({ys(line)[0] for line in kind.lines}) == 6
    assert [tick.get_text() for tick in kind.get_yticklabels()] == ["a", "b"]


def test_dimensions_are_drawn_by_what_the_configuration_says(evolved: Evolved) -> None:
    items = {item.name: item for item in evolution(evolved) if isinstance(item, Drawn)}
    assert list(items) == ["members", "family_tree", "founders", "fields", "dimensions"]
    left, right = items["dimensions"].figure.axes
    assert len(left.lines) == 7 and len(right.lines) == 1 and right.get_yscale() == "log"
    assert xs(right.lines[0]) == [0, 6]
    by_label = {ys(line)[0]: line.get_color() for line in left.lines}
    assert by_label == {label - 0.5: COLOURS[n] for n, label in enumerate((1, 2, 3, 4))}


def test_what_an_earlier_version_has_not_measured_is_named(tmp_path: Path) -> None:
    found = read_evolved(bred(tmp_path / "bred", shapes=False))
    assert found is not None
    (absent,) = (item for item in evolution(found) if isinstance(item, Absent))
    assert absent.title == "Dimensions that are there"


def test_a_report_shows_a_population_where_one_evolves(tmp_path: Path) -> None:
    titles = [item.title for item in overview(read_sweep_data(bred(tmp_path / "bred")))]
    assert titles[:3] == ["Best so far", "Members of the population over time", "Family tree"]
    assert all(before != after for before, after in pairwise(titles))


def test_the_page_of_a_population_says_how_far_it_is_without_a_number_to_reach(tmp_path: Path) -> None:
    sweep_data = read_sweep_data(bred(tmp_path / "bred"))
    assert sweep_data.planned is None
    text = render(sweep_data, [], [], Opening([], [], ""))
    assert f"{sweep_data.finished} trials are finished" in text and "when the sweep goes on" not in text
