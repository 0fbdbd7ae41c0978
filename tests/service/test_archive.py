"""MAP-Elites with real networks: births, replay, elites measured again, their table and its picture."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ribs.archives import GridArchive
from rich.console import Console

from service import Sweep
from service.commands.train import train_again
from service.config.load import load
from service.config.sweep import dump
from service.control.controller import SweepController
from service.errors import UserError
from service.execution.in_process import run_in_process
from service.record.plan import MORE_SEEDS
from service.report.archive import archive_item
from service.report.items import Drawn
from service.report.sweep_data import read_sweep_data
from service.results.status import status_of
from service.storage.layout import states
from service.worker.trial import Trial

ATLAS = """\
name: tiny
data: {name: digits}
learner: {hidden: 10, epochs: 2, duration: 30.0, dt: 2.0, batch_size: 256, replicates: 2, schedule: constant}
space:
  learner.wiring_cost: {log: [1e-4, 1e-1]}
search:
  sampler: random
  trials: 12
  seed: 3
  evolution:
    population: 4
    ready: 1
    moves: {dimension_up: 0.3, split: 0.3}
    archive: {measures: {modularity: [0.04, 0.08], wiring_length: [3.5, 5.5]}, cells: [4, 3], remeasure: 3}
    synchronous: true
objectives: [{metric: loss, goal: min}]
"""


def begun(folder: Path, *changes: str) -> SweepController:
    """The sweep, taken up in its folder below `folder`."""
    file = folder / "tiny.yaml"
    file.write_text(ATLAS)
    spec = load(file, list(changes))
    home = folder / "runs" / spec.name
    home.mkdir(parents=True, exist_ok=True)
    (home / "sweep.yaml").write_text(dump(spec))
    return SweepController(spec, home)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    with closing(begun(tmp_path_factory.mktemp("atlas"))) as controller:
        run_in_process(controller, lambda task, report: None)
        assert controller.queue.over
    return Sweep(controller.folder)


@pytest.fixture(scope="module")
def trials(atlas: Sweep) -> pd.DataFrame:
    return atlas.table("trials").sort_values("trial").set_index("trial", drop=False)


def test_children_go_on_from_networks_of_elites(atlas: Sweep, trials: pd.DataFrame) -> None:
    """A split keeps the function, an axis more does to the bit; measures are those of the last epoch."""
    children = trials[trials["birth_epoch"].notna() & (trials["move"] != MORE_SEEDS)]
    assert len(children) == 8 and {"dimension_up", "split"} <= set(children["move"])
    epochs = atlas.table("epochs")
    topology = atlas.table("topology")
    for child in children.to_dict("records"):
        parent = trials.loc[child["parent"]]
        assert child["epochs"] == parent["epochs"] + 1
        births = json.loads(child["move_values"])
        if child["move"] == "dimension_up":
            assert births["before_jitter"]["loss"] == parent["loss"]
        own = epochs[epochs["trial"] == child["trial"]]["epoch"]
        assert sorted(set(own)) == [parent["epochs"], child["epochs"]]
        last = topology[(topology["trial"] == child["trial"]) & (topology["epoch"] == child["epochs"])]
        assert child["modularity"] == last["modularity"].mean()
        assert atlas.network(child["trial"]).config.epochs == child["epochs"]


def test_the_archive_is_that_of_pyribs(atlas: Sweep, trials: pd.DataFrame) -> None:
    bred = trials[trials["move"] != MORE_SEEDS]
    reference = GridArchive(solution_dim=1, dims=[4, 3], ranges=[(0.04, 0.08), (3.5, 5.5)])
    for row in bred.to_dict("records"):
        reference.add_single([row["trial"]], -row["loss"], [row["modularity"], row["wiring_length"]])
    theirs = reference.data(return_type="pandas").sort_values("index", ignore_index=True)
    ours = atlas.archive()
    assert ours["trial"].tolist() == theirs["solution_0"].tolist() and len(ours) >= 2
    indices = 3 * ours["modularity_cell"] + ours["wiring_length_cell"]
    assert indices.tolist() == theirs["index"].tolist()
    np.testing.assert_array_equal(ours["loss"], -theirs["objective"])
    assert ours["epochs"].tolist() == trials.loc[ours["trial"], "epochs"].tolist()
    for name, value in asdict(atlas.archive_statistics()).items():
        assert value == pytest.approx(float(getattr(reference.stats, name)), rel=1e-12), name
    assert {trial for trial, _ in states(atlas.folder)} == set(ours["trial"])


def test_elites_are_measured_again_with_new_seeds(atlas: Sweep, trials: pd.DataFrame) -> None:
    """Once each, over their whole lineages; the corrected archive has none but these."""
    again = trials[trials["move"] == MORE_SEEDS]
    elites = atlas.archive()
    assert sorted(again["parent"]) == sorted(elites["trial"])
    assert set(again["state"]) == {"complete"} and set(again["replicates"]) == {3}
    assert not set(again["seed"]) & set(trials.drop(again.index)["seed"])
    epochs = atlas.table("epochs")
    for row in again.to_dict("records"):
        elite = trials.loc[row["parent"]]
        assert row["epochs"] == elite["epochs"] and row["loss"] != elite["loss"]
        own = epochs[epochs["trial"] == row["trial"]]
        assert sorted(set(own["epoch"])) == list(range(1, int(row["epochs"]) + 1))
        assert row["parameters"] == elite["parameters"]  # of the same size, whatever moves had made
        lineage, repeated = atlas.lineage(elite["trial"]), atlas.lineage(row["trial"])
        pd.testing.assert_frame_equal(lineage, repeated)
    corrected = atlas.archive(remeasured=True)
    assert set(corrected["parent"]) <= set(elites["trial"])
    found, left = atlas.archive_statistics(), atlas.archive_statistics(remeasured=True)
    assert 0 < left.num_elites == len(corrected) <= found.num_elites
    assert set(atlas.counted()["trial"]) == set(trials["trial"]) - set(elites["trial"])
    assert status_of(atlas).state == "finished"


def test_children_and_what_is_measured_again_are_repeated_to_the_digit(
    atlas: Sweep, trials: pd.DataFrame, console: Console
) -> None:
    again = trials[(trials["move"] == MORE_SEEDS) & (trials["generation"] > 0)]
    assert len(again)
    for number in (int(again["parent"].iloc[0]), int(again["trial"].iloc[0])):
        assert train_again(f"tiny/{number}", atlas.folder.parent, console), number


def test_a_lineage_that_is_cut_short_at_a_birth_goes_on(tmp_path: Path, trials: pd.DataFrame) -> None:
    """From its checkpoint of each epoch, to the bit: also of that at which the next is to be born."""
    with closing(begun(tmp_path, "resources.checkpoint=0")) as controller:
        while (task := controller.next_task()) is not None:
            trial, goes_on = Trial(task), True
            while goes_on:
                goes_on = controller.take(trial.advance()).goes_on
                if task.ancestry and goes_on:
                    trial.advance()  # saves what it has before it goes on, and is lost
                    trial = Trial(task)
    found = Sweep(controller.folder).table("trials").sort_values("trial", ignore_index=True)
    names = ["trial", "parent", "move", "loss", "modularity", "epochs"]
    pd.testing.assert_frame_equal(found[names], trials.reset_index(drop=True)[names], check_exact=True)


def test_the_archive_is_drawn(atlas: Sweep) -> None:
    data = read_sweep_data(atlas)
    assert data.archive is not None
    item = archive_item(data.archive, "loss")
    assert isinstance(item, Drawn) and "elites, coverage" in item.caption and "was luck" in item.caption
    found, again = (axes for axes in item.figure.axes if axes.get_xlabel() == "modularity")
    assert {text.get_text() for text in found.texts} == {str(n) for n in atlas.archive()["trial"]}
    assert {text.get_text() for text in again.texts} == {
        str(n) for n in atlas.archive(remeasured=True)["parent"]
    }
    assert len(item.data) == len(atlas.archive()) + len(atlas.archive(remeasured=True))


def test_a_sweep_without_an_archive_says_so(tmp_path: Path) -> None:
    with closing(begun(tmp_path, "search.evolution=null")) as controller:
        run_in_process(controller, lambda task, report: None)
    with pytest.raises(UserError, match=r"it has no archive; give `search.evolution.archive` its measures"):
        Sweep(controller.folder).archive()


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_generations_go_on_from_their_parents_networks(
    tmp_path: Path, console: Console, sampler: str
) -> None:
    evolution = "{generations: true, population: 3, ready: 1, synchronous: true}"
    changes = [
        f"search={{sampler: {sampler}, trials: 8, seed: 1, evolution: {evolution}}}",
        "space={learner.learning_rate: {log: [0.01, 0.5]}}",
        "objectives=[{metric: loss, goal: min}, {metric: rate, goal: min}]",
    ]
    with closing(begun(tmp_path, *changes)) as controller:
        run_in_process(controller, lambda task, report: None)
        assert controller.queue.over
    rows = Sweep(controller.folder).table("trials").set_index("trial")
    children = rows[rows["parent"].notna()]
    assert len(children) == 5 and set(rows["state"]) == {"complete"}
    for child in children.to_dict("records"):
        births = json.loads(child["move_values"])
        assert births["before_jitter"]["loss"] == rows.loc[child["parent"], "loss"]
        assert child["epochs"] == rows.loc[child["parent"], "epochs"] + 1
    assert train_again(f"tiny/{children.index[-1]}", tmp_path / "runs", console)
