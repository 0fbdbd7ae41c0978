import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_sweep import BETTER, COSTS, planned, write_known_sweep
from matplotlib.image import imread
from rich.console import Console

from service.cli import main
from service.errors import UserError
from service.report.contents import contents, overview
from service.report.effects import find_effects
from service.report.exemplars import choose, input_map, load
from service.report.items import Absent, Drawn, Item
from service.report.page import Opening, Picture, render
from service.report.pruned import pruning_curves
from service.report.sweep_data import read_sweep_data
from service.report.write import write_report
from service.results.sweep import Sweep

SPACE = [t for t, (_, embedding, _) in enumerate(planned()) if embedding == "space"]


def _contents(folder: Path) -> dict[str, Item]:
    sweep = Sweep(folder)
    sweep_data = read_sweep_data(sweep)
    return {
        item.title: item for item in contents(sweep_data, load(sweep, sweep_data), pruning_curves(folder))
    }


def _drawn(item: Item) -> Drawn:
    assert isinstance(item, Drawn), item
    return item


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with networks of all trials, of which one has a pruning curve."""
    folder = write_known_sweep(tmp_path_factory.mktemp("runs") / "known", networks=tuple(range(16)))
    rows = [
        {"by": by, "share": share, "replicate": r, "accuracy": 0.9 - share / 2}
        for by in ("magnitude", "length")
        for share in (0.0, 0.5, 1.0)
        for r in range(3)
    ]
    (folder / "pictures" / "000002").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "pictures" / "000002" / "pruning.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def items(folder: Path) -> dict[str, Item]:
    return _contents(folder)


def test_a_study_counts_every_result_once(tmp_path: Path) -> None:
    values = {"replicates": 3, "epochs": 3, "wiring_cost": 0.1, "embedding": "free", "accuracy": 0.99}
    more = [
        values | {"trial": 16, "state": "complete", "reason": "duplicate of trial 3"},
        values | {"trial": 17, "state": "failed", "reason": "`loss` of replicate 0 is not finite"},
        values | {"trial": 18, "state": "pruned"},
        values | {"trial": 19, "state": "complete", "move": "more seeds", "parent": 2},
    ]
    sweep_data = read_sweep_data(Sweep(write_known_sweep(tmp_path / "known", more=more)))
    assert sweep_data.trials["trial"].tolist() == [t for t in range(16) if t != 2] + [19]
    assert sweep_data.states == {"complete": 18, "failed": 1, "pruned": 1}
    assert sweep_data.progress == "20 of 40 trials are finished"


def test_a_study_knows_its_axis_and_its_groups(folder: Path) -> None:
    sweep_data = read_sweep_data(Sweep(folder))
    assert sweep_data.x == "wiring_cost" and sweep_data.grouped_by == ["embedding"]
    assert sweep_data.trials.groupby("group")["trial"].count().to_dict() == {
        "embedding free": 4, "embedding space": 12
    }  # fmt: skip
    assert len(sweep_data.networks) == 48
    recorded = Sweep(folder).table("trials").set_index("trial")["accuracy"]
    found = sweep_data.networks.groupby("trial")["accuracy"].mean()
    np.testing.assert_allclose(found, recorded.sort_index())


def test_effects_that_were_put_in_are_found(tmp_path: Path) -> None:
    costs = (*COSTS, 0.3)
    kinds = [("free", None), ("space", 1), ("space", 2), ("space", 3)]
    trials = [(cost, embedding, dimensions) for cost in costs for embedding, dimensions in kinds]
    sweep_data = read_sweep_data(Sweep(write_known_sweep(tmp_path / "known", trials=trials)))
    effects = find_effects(
        sweep_data.networks, sweep_data.fields, ["accuracy", "test_accuracy"], sweep_data.grouped_by
    )
    embedding = [e for e in effects if e.field == "embedding"]
    accuracy = next(e for e in embedding if e.outcome == "accuracy")
    assert accuracy.method == "paired t" and accuracy.n == "5 pairs of trials"
    assert accuracy.low <= -BETTER <= accuracy.high < 0  # free instead of space
    assert next(e for e in embedding if e.outcome == "test_accuracy").verdict == "not clear"
    trend = next(e for e in effects if e.field == "wiring_cost" and e.outcome == "accuracy")
    assert (trend.method, trend.n, trend.verdict) == ("partial Spearman", "20 trials", "clear")
    assert trend.estimate < 0


def test_curves_show_the_means_of_the_tables(folder: Path, items: dict[str, Item]) -> None:
    drawn = _drawn(items["Figure 5A: Modularity"])
    topology = Sweep(folder).table("topology").query("epoch == 3")
    trials = Sweep(folder).table("trials").set_index("trial")
    own = topology[topology["trial"].isin(SPACE)].assign(cost=lambda t: t["trial"].map(trials["wiring_cost"]))
    expected = own.groupby("cost")["modularity"].mean()
    panel = next(axes for axes in drawn.figure.axes if axes.get_ylabel() == "modularity")
    line = next(one for one in panel.lines if one.get_color() == "#E69F00" and np.size(one.get_xdata()) == 4)
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), expected)
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "0.01", "0.1", "1"]
    data = drawn.data[(drawn.data["outcome"] == "modularity") & (drawn.data["group"] == "embedding space")]
    assert data["trials"].tolist() == [3, 3, 3, 3] and data["wiring_cost"].tolist() == list(COSTS)


def test_front_and_table_are_those_of_the_sweep(folder: Path, items: dict[str, Item]) -> None:
    data = _drawn(items["Pareto front"]).data
    assert data.loc[data["front"], "trial"].tolist() == sorted(Sweep(folder).front()["trial"])


def test_pictures_of_networks(folder: Path, items: dict[str, Item]) -> None:
    sweep = Sweep(folder)
    clouds = _drawn(items["Figure 4A: Networks in space"]).data
    number = int(clouds["trial"].iloc[0])
    kept = clouds[clouds["trial"] == number].pivot(index="neuron", columns="axis", values="position")
    np.testing.assert_allclose(kept, sweep.network(number).positions[0].detach(), rtol=1e-6)
    delays = _drawn(items["Figure 6B: Delays"]).data
    assert delays.groupby("trial")[["share", "weighted_share"]].sum().to_numpy() == pytest.approx(1)
    shown = delays[delays["trial"] == number]
    own = sweep.network(number).delays()[0].detach().numpy()[~np.eye(12, dtype=bool)]
    assert [shown["from_ms"].min(), shown["to_ms"].max()] == pytest.approx([own.min(), own.max()], rel=1e-5)
    assert set(delays["trial"]) == set(choose(read_sweep_data(sweep)))


def test_input_maps() -> None:
    w_in = np.zeros((100, 3))
    w_in[40:44, 0], w_in[97:, 1], w_in[:60, 2] = 1.0, 2.0, -1.0
    bands, channel = input_map(w_in)
    assert list(bands) == [f"channels {k} to {k + 19}" for k in range(0, 100, 20)]
    np.testing.assert_allclose(bands["channels 40 to 59"], [0.2, 0, -1])
    assert 38 <= channel[0] <= 44 and channel[1] >= 95 and channel[2] >= 60


def test_what_can_not_be_drawn_is_said(tmp_path: Path, items: dict[str, Item]) -> None:
    nothing = items["All measures against chance"]
    assert isinstance(nothing, Absent) and nothing.why.startswith("no nulls were recorded")
    one = _contents(write_known_sweep(tmp_path / "known", trials=[(0.1, "free", None)]))
    absent = {title: item.why for title, item in one.items() if isinstance(item, Absent)}
    assert absent["Figure 8: Accuracy and sparsity"].startswith("no searched field with few values")
    assert absent["Importance of the searched fields"].startswith("no searched field differs")
    assert isinstance(one["Pareto front"], Drawn) and isinstance(one["In the course of training"], Drawn)


def test_a_page_without_comparisons_says_so(tmp_path: Path) -> None:
    folder = write_known_sweep(tmp_path / "known", trials=[(0.1, "free", None)])
    text = write_report(folder, Console(quiet=True)).read_text()
    assert "Nothing can be compared" in text
    assert "comparisons" not in text and "No effect is clear" not in text


def test_overview_is_for_the_run_of_the_sweep(folder: Path) -> None:
    titles = [item.title for item in overview(read_sweep_data(Sweep(folder)))]
    assert titles == ["Pareto front", "Importance of the searched fields", "Parallel coordinates"]


def test_the_page_needs_nothing_and_its_files_are_there(folder: Path) -> None:
    page = folder / "report" / "index.html"
    assert write_report(folder, Console(quiet=True)) == page
    text = page.read_text()
    sources = re.findall(r'(?:src|href)="([^"]+)', text)
    files = {one for one in sources if not one.startswith(("data:image", "#"))}
    assert "figure_8.svg" in files and "effects.csv" in files
    assert all(page.with_name(one).is_file() for one in files)
    assert "16 of 40 trials are finished: 16 complete" in text
    names = re.findall(r'<h2 id="(\w+)">', text)[2:]
    assert {
        "front",
        "parallel",
        "measures",
        "figure_4A",
        "figure_5A",
        "figure_6A",
        "figure_6B",
        "figure_8",
    } <= set(names)
    for name in names:
        assert imread(page.with_name(f"{name}.png")).shape[1] > 400
        assert page.with_name(f"{name}.svg").read_text().startswith("<?xml")
        assert len(pd.read_csv(page.with_name(f"{name}.csv")))
    written = pd.read_csv(page.with_name("effects.csv"))
    assert set(written["verdict"]) <= {"clear", "not clear", "constant", "too few to tell"}
    assert list(written)[-4:] == ["n", "p", "q", "verdict"]
    assert "<h3>validation accuracy</h3>" in text and "No clear effect" in text
    assert "Validation accuracy runs from" in text and "of trial" in text
    assert "\nlearner:\n" in text and "<th>data</th><td>digits</td>" in text  # the sweep file, and the box


def test_an_outcome_that_is_the_same_in_all_trials_is_called_constant(folder: Path) -> None:
    sweep_data = read_sweep_data(Sweep(folder))
    same = sweep_data.networks.assign(accuracy=0.5)
    effects = find_effects(same, sweep_data.fields, ["accuracy"], sweep_data.grouped_by)
    assert {one.verdict for one in effects if one.field == "wiring_cost"} == {"constant"}
    page = render(sweep_data, effects, [], Opening([], [], ""))
    assert "Constant outcomes" in page and "the same in all: n = " in page
    assert "Nothing can be compared" in page


def test_what_is_to_be_typed_is_set_as_code(folder: Path) -> None:
    why = "no nulls were recorded; `record: {nulls: 50}` does, <b>"
    pictures = [Picture("There", f"{why} and `x`", "there"), Picture("Absent", why)]
    page = render(read_sweep_data(Sweep(folder)), [], pictures, Opening([], [], ""))
    assert page.count("recorded; <code>record: {nulls: 50}</code> does, &lt;b&gt;") == 2
    assert "and <code>x</code>" in page and "`" not in page


def test_one_objective(tmp_path: Path) -> None:
    folder = write_known_sweep(tmp_path / "known")
    asked = folder / "sweep.yaml"
    second = '  - {metric: "wiring_length", goal: "min"}\n'
    assert second in asked.read_text()
    asked.write_text(asked.read_text().replace(second, ""))
    item = _drawn(_contents(folder)["Best so far"])
    accuracy = Sweep(folder).table("trials").sort_values("trial")["accuracy"]
    line = next(one for one in item.figure.axes[0].lines if one.get_label() == "best so far")
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), np.maximum.accumulate(accuracy))


def test_nothing_to_report_is_the_users_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = [{"trial": 0, "state": "failed", "reason": "x"}]
    folder = write_known_sweep(tmp_path / "known", trials=[], more=failed)
    with pytest.raises(UserError, match=r"no trial is complete \(1 failed\); wait for one"):
        write_report(folder, Console(quiet=True))
    assert not (folder / "report").exists()
    for name in ("known", "unknown"):
        monkeypatch.setattr("sys.argv", ["polychrony", "report", name, "--out", str(tmp_path)])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 2
