"""Sweeps whose population evolves, with real networks: births to the bit, replay, kills of real drivers."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from audit import audit_population
from rich.console import Console

from search import Suggestion
from service import Sweep
from service.commands import train
from service.commands.train import train_again
from service.config.load import load
from service.config.sweep import dump
from service.control.controller import SweepController
from service.control.tasks import make_task
from service.errors import UserError
from service.execution.in_process import run_in_process
from service.record.plan import MORE_SEEDS, PlannedTrial
from service.record.planned import planned_trial
from service.report.sweep_data import read_sweep_data
from service.results.status import status_of
from service.results.trial_config import trial_config
from service.results.warm_start import find_sources
from service.storage.layout import state_file, states
from service.worker.task import Report, Task
from service.worker.trial import Trial

EVOLVING = """\
name: evolving
data: {name: digits}
learner: {hidden: 10, epochs: 6, duration: 30.0, dt: 2.0, batch_size: 256, replicates: 2, schedule: constant}
space:
  learner.wiring_cost: {log: [1e-4, 1e-1]}
  learner.dimensions: {choice: [1, 2, 3, 4]}
search:
  sampler: random
  trials: 12
  seed: 3
  evolution: {population: 4, ready: 2, grace: 0, moves: {dimension_up: 0.6}, synchronous: true}
objectives: [{metric: loss, goal: min}]
resources: {concurrent: 2}
"""
COSTS = ["seconds", "seconds_sem", "cpu_seconds", "gpu_seconds", "environment"]
KEYS = ["trial", "replicate", "epoch"]


def evolving(folder: Path, *changes: str) -> Path:
    """Run it in this process; returns its folder."""
    folder.mkdir(exist_ok=True)
    file = folder / "evolving.yaml"
    file.write_text(EVOLVING)
    spec = load(file, list(changes))
    home = folder / "runs" / spec.name
    home.mkdir(parents=True)
    (home / "sweep.yaml").write_text(dump(spec))
    with closing(SweepController(spec, home)) as controller:
        run_in_process(controller, lambda task, report: None)
        assert controller.queue.over
    return home


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evolving(tmp_path_factory.mktemp("evolved"))


def tables(home: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What must not depend on when and where it was run."""
    sweep = Sweep(home)
    trials = sweep.table("trials").sort_values("trial", ignore_index=True).drop(columns=COSTS)
    return trials, sweep.table("epochs").sort_values(KEYS, ignore_index=True).drop(columns="seconds")


def test_an_exact_move_is_born_with_its_parents_results(evolved: Path) -> None:
    """To the bit, before jitter: the first row of a child in `epochs`, and what is kept of its birth."""
    trials, epochs = tables(evolved)
    grown = trials[trials["move"] == "dimension_up"]
    assert len(grown)
    for child in grown.to_dict("records"):
        first, parents = (
            epochs[(epochs["trial"] == trial) & (epochs["epoch"] == child["birth_epoch"])].reset_index()
            for trial in (child["trial"], child["parent"])
        )
        own = epochs[epochs["trial"] == child["trial"]]
        assert own["epoch"].min() == child["birth_epoch"] and own["epoch"].max() == child["epochs"]
        columns = ["loss", "accuracy", "wiring_length", "sparsity", "rate", "silent"]
        pd.testing.assert_frame_equal(first[columns], parents[columns], check_exact=True)
        assert first["train_loss"].isna().all()
        values = json.loads(child["move_values"])
        before, after = values["before_jitter"], values["after_jitter"]
        assert before["loss"] == parents["loss"].sum() / 2
        assert before["loss"] != after["loss"] == pytest.approx(before["loss"], abs=0.01)
        assert [step["name"] for step in values["steps"]] == ["dimension_up", "jitter"]
        parent = trials[trials["trial"] == child["parent"]].iloc[0]
        assert child["dimensions"] == parent["dimensions"] + 1
        net = Sweep(evolved).network(child["trial"])
        assert net.config.dimensions == child["dimensions"] and net.positions.shape[2] == child["dimensions"]


def test_a_child_that_grew_begins_flat_along_its_new_axis(evolved: Path) -> None:
    """Snapshots at birth and at every ready epoch say in how many dimensions a cloud lies."""
    trials, _ = tables(evolved)
    topology = Sweep(evolved).table("topology")
    at = topology.set_index(["trial", "replicate", "epoch"])["effective_dimension"].to_dict()
    grown = trials[trials["move"] == "dimension_up"]
    assert len(grown)
    for child in grown.to_dict("records"):
        own = topology[topology["trial"] == child["trial"]].sort_values(["replicate", "epoch"])
        born_at, end = int(child["birth_epoch"]), child["epochs"]
        later = [epoch for epoch in (1, 2, 3, 4, 6) if born_at < epoch <= end]
        assert sorted(set(own["epoch"])) == [born_at, *later]
        for replicate, rows in own.groupby("replicate"):
            before = at[int(child["parent"]), replicate, born_at]
            born = rows.iloc[0]
            assert 0 < born["last_axis_share"] < 1e-4
            assert born["effective_dimension"] == pytest.approx(before, rel=1e-3)
            if len(rows) > 1:
                assert rows["last_axis_share"].iloc[-1] > 10 * born["last_axis_share"]


def test_a_learning_rate_that_is_changed_is_the_childs_own(tmp_path: Path) -> None:
    """Not that of the optimiser that it inherits with its moments."""
    home = evolving(
        tmp_path,
        "space={learner.learning_rate: {log: [0.01, 0.3]}}",
        "search.evolution={population: 3, ready: 2, grace: 0, explore: {resample: 0}}",
    )
    trials, _ = tables(home)
    children = trials[trials["parent"].notna()]
    assert len(children) and set(children["move"]) == {"perturb"}
    for child in children.to_dict("records"):
        parent = trials[trials["trial"] == child["parent"]].iloc[0]
        factor = child["learning_rate"] / parent["learning_rate"]
        at_an_end = child["learning_rate"] in (0.01, 0.3)
        assert at_an_end or factor == pytest.approx(1.2) or factor == pytest.approx(1 / 1.2)
        if (home / f"networks/{child['trial']:06d}.safetensors").exists():
            config = Sweep(home).network(child["trial"]).config
            assert config.learning_rate == child["learning_rate"]


def begun_child(home: Path) -> tuple[SweepController, Task]:
    """A sweep taken up to where a child is to begin."""
    file = home.parent / "evolving.yaml"
    file.write_text(EVOLVING)
    controller = SweepController(load(file), home)
    while True:
        task = controller.next_task()
        assert task is not None
        if task.birth is not None:
            return controller, task
        trial, goes_on = Trial(task), True
        while goes_on:
            goes_on = controller.take(trial.advance()).goes_on


@pytest.mark.parametrize("damage", ["missing", "cut short", "another"])
def test_a_child_whose_parents_state_is_damaged_fails(tmp_path: Path, damage: str) -> None:
    home = tmp_path / "evolving"
    home.mkdir()
    controller, task = begun_child(home)
    with closing(controller):
        assert task.parent is not None and task.birth is not None
        path = state_file(home, task.parent, task.birth.epoch)
        content = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            changed = bytearray(content)
            changed[-100] ^= 1
            path.write_bytes(content[:-50] if damage == "cut short" else bytes(changed))
        report = Trial(task).advance()
        assert report.failure and f"the state of trial {task.parent} at epoch 2" in report.failure
        assert not controller.take(report).goes_on
    row = pd.read_parquet(home / "tables" / "trials").set_index("trial").loc[task.trial]
    assert row["state"] == "failed" and "which it should be born from" in row["reason"]


def test_a_move_that_is_refused_fails_the_child(tmp_path: Path) -> None:
    """Its place is filled at the next ready epoch, so that the population stays."""
    home = evolving(
        tmp_path,
        "search.evolution={population: 4, ready: 2, grace: 0, moves: {dimension_down: 1}, distortion: 1e-9}",
    )
    trials, _ = tables(home)
    refused = trials[trials["state"] == "failed"]
    assert len(refused) and refused["reason"].str.contains("its move is refused").all()
    assert set(refused["move"]) == {"dimension_down"} and refused["epochs"].eq(refused["birth_epoch"]).all()


def test_a_trial_goes_on_from_its_state_to_the_bit(evolved: Path, tmp_path: Path) -> None:
    """Segments are what one run without a pause would be."""
    _, epochs = tables(evolved)
    spec = Sweep(evolved).spec
    rows = Sweep(evolved).arrow("trials", "state == 'complete'").to_pylist()
    row = next(one for one in rows if one["parent"] is None)
    trial = Trial(make_task(spec, tmp_path, planned_trial(row, spec.space)))
    reports: list[Report] = [trial.advance() for _ in range(6)]
    recorded = epochs[epochs["trial"] == row["trial"]]
    assert [report.metrics["loss"] for report in reports] == [
        one["loss"].tolist() for _, one in recorded.groupby("epoch")
    ]
    assert states(evolved) == set()


def youngest(home: Path) -> int:
    """A trial with the most births behind it."""
    rows = Sweep(home).arrow("trials", "state == 'complete'").to_pylist()
    return int(max(rows, key=lambda row: row["generation"])["trial"])


def test_the_lineage_of_a_child_is_a_schedule(evolved: Path) -> None:
    sweep = Sweep(evolved)
    trials = sweep.table("trials").set_index("trial")
    young = youngest(evolved)
    lineage = sweep.lineage(young)
    assert trials.loc[young, "generation"] == len(lineage) - 1 >= 1
    assert lineage["trial"].iloc[-1] == young and lineage["move"].isna().tolist()[0]
    assert lineage["from_epoch"].iloc[0] == 0 and lineage["to_epoch"].iloc[-1] == 6
    assert lineage["from_epoch"].tolist()[1:] == lineage["to_epoch"].tolist()[:-1]
    for before, after in zip(lineage["trial"], lineage["trial"][1:], strict=False):
        assert trials.loc[after, "parent"] == before
    fields = ["wiring_cost", "dimensions"]
    assert lineage[fields].to_numpy().tolist() == trials.loc[lineage["trial"], fields].to_numpy().tolist()
    founder = sweep.lineage(0)
    assert len(founder) == 1 and founder["to_epoch"][0] == trials.loc[0, "epochs"]
    with pytest.raises(UserError, match="there is no such trial"):
        sweep.lineage(99)


def test_the_configuration_of_a_child_is_what_moves_have_made_of_it(tmp_path: Path) -> None:
    sweep = Sweep(evolving(tmp_path, "search.evolution.moves={split: 0.9}"))
    trials = sweep.table("trials")
    grown = trials[(trials["move"] == "split") & (trials["state"] == "complete")]["trial"].tolist()
    assert grown
    for trial in grown:
        net = sweep.network(trial)
        assert trial_config(sweep, trial)["learner"]["hidden"] == net.config.neurons > 10


def test_a_child_is_trained_again_from_its_founder_to_the_digit(
    evolved: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    young = youngest(evolved)
    assert train_again(f"evolving/{young}", evolved.parent, console)
    assert "the same, to the digit" in console.export_text()
    # A founder that is other than it was shows in its children.
    first = Sweep(evolved).lineage(young)["trial"][0]
    real = make_task

    def other(spec: Any, folder: Any, begun: Any, lineage: Any = ()) -> Task:
        task = real(spec, folder, begun, lineage)
        return replace(task, seed=task.seed + 1) if begun.trial == first else task

    monkeypatch.setattr(train, "make_task", other)
    assert not train_again(f"evolving/{young}", evolved.parent, console)


LEADERS = "replicates={leaders: 3, trials: 2}"


def test_leaders_repeat_their_lineages_with_other_seeds(tmp_path: Path, console: Console) -> None:
    home = evolving(tmp_path, LEADERS)
    sweep = Sweep(home)
    trials, epochs = tables(home)
    again, members = trials[trials["move"] == MORE_SEEDS], trials[trials["move"] != MORE_SEEDS]
    losses = members[members["state"] == "complete"].set_index("trial")["loss"]
    assert losses[again["parent"]].tolist()[:2] == sorted(losses)[:2]
    assert again["parent"].is_unique  # where other seeds do worse, the next ones lead, and have their turn
    assert again["state"].eq("complete").all() and again["replicates"].eq(3).all()
    generations = members.set_index("trial")["generation"]
    assert again["generation"].tolist() == generations[again["parent"]].tolist() and again["generation"].max()
    assert not set(again["seed"]) & set(members["seed"])
    for row in again.to_dict("records"):
        own = epochs[epochs["trial"] == row["trial"]]
        assert sorted(own["epoch"].unique()) == list(range(1, 7)) and len(own) == 6 * 3
        assert sweep.lineage(row["trial"]).equals(sweep.lineage(int(row["parent"])))
        net, parent = sweep.network(row["trial"]), sweep.network(int(row["parent"]))
        assert replace(net.config, replicates=2) == parent.config
        assert trial_config(sweep, row["trial"])["learner"]["dimensions"] == parent.config.dimensions
    # They stand for their leaders, and explain as little as those do.
    assert set(again["parent"]).isdisjoint(sweep.counted()["trial"])
    data = read_sweep_data(sweep)
    explained = data.trials.loc[data.explained, "trial"]
    evolved_again = again.loc[again["generation"] > 0, "trial"].tolist()
    assert evolved_again and not set(evolved_again) & set(explained)
    assert status_of(sweep).state == "finished"
    assert train_again(f"evolving/{evolved_again[0]}", home.parent, console)
    assert "the same, to the digit" in console.export_text()


def test_a_lineage_that_is_repeated_with_its_own_seeds_is_the_same(tmp_path: Path) -> None:
    """To the digit, also where it is taken up from a checkpoint; moves here draw nothing at random."""
    home = evolving(
        tmp_path,
        "space={learner.learning_rate: {log: [0.01, 0.3]}}",
        "search.evolution={population: 4, ready: 2, grace: 0}",
        LEADERS,
    )
    sweep = Sweep(home)
    young = youngest(home)
    lineage = sweep.stages(young)
    assert len(lineage) > 1
    again = PlannedTrial(Suggestion(99, lineage[-1].begun.suggestion.values), young, MORE_SEEDS, 2)
    task = make_task(sweep.spec, tmp_path / "again", again, lineage)
    founder = make_task(sweep.spec, tmp_path, lineage[0].begun)
    task = replace(task, seed=founder.seed, checkpoint=0.0)
    epochs = sweep.table("epochs").set_index(["trial", "epoch", "replicate"])["loss"].sort_index()
    for stage in lineage:
        for epoch in range(stage.first + 1, stage.last + 1):
            trial = Trial(task)  # a worker of its own for each epoch, which goes on from the checkpoint
            if epoch > 1:
                assert trial.advance().epoch == epoch - 1
            report = trial.advance()
            assert report.epoch == epoch and report.failure is None
            assert report.metrics["loss"] == epochs.loc[stage.begun.trial, epoch].tolist()
    assert report.done


def test_leaders_of_a_population_that_were_cut_short_are_taken_up(tmp_path: Path) -> None:
    whole = tables(evolving(tmp_path / "whole", LEADERS))
    home = tmp_path / "evolving"
    home.mkdir()
    spec = load(tmp_path / "whole" / "evolving.yaml", [LEADERS])
    controller = SweepController(spec, home)
    reports = 0
    while not controller.queue.over:  # left every 7 reports, as after a kill
        task = controller.next_task()
        assert task is not None
        trial, goes_on = Trial(task), True
        while goes_on:
            goes_on = controller.take(trial.advance()).goes_on
            reports += 1
            if reports % 7 == 0:
                controller.close()
                controller = SweepController(spec, home)
                break
    controller.close()
    (home / "sweep.yaml").write_text(dump(spec))
    for found, expected in zip(tables(home), whole, strict=True):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_children_are_no_warm_start_and_explain_nothing(evolved: Path, tmp_path: Path) -> None:
    file = tmp_path / "later.yaml"
    file.write_text(EVOLVING.replace("name: evolving", "name: later"))
    changes = ["search={sampler: tpe, trials: 4, warm_start: [evolving]}"]
    rows = Sweep(evolved).arrow("trials", "state == 'complete'").to_pylist()
    founders = {f"evolving/{row['trial']}" for row in rows if row["parent"] is None}
    assert founders and len(founders) < len(rows)
    assert {one.name for one in find_sources(load(file, changes), evolved.parent)} == founders
    data = read_sweep_data(Sweep(evolved))
    assert len(data.trials) == len(rows) and data.explained.sum() == len(founders)
    assert data.progress == f"{data.finished} trials are finished"


def test_an_evolved_sweep_is_finished_when_all_its_places_are(evolved: Path, tmp_path: Path) -> None:
    assert status_of(Sweep(evolved)).state == "finished"
    file = tmp_path / "evolving.yaml"
    file.write_text(EVOLVING)
    home = tmp_path / "evolving"
    home.mkdir()
    (home / "sweep.yaml").write_text(dump(load(file)))
    with closing(SweepController(load(file), home)) as controller:
        while (task := controller.next_task()) and task.birth is None:
            trial, goes_on = Trial(task), True
            while goes_on:
                goes_on = controller.take(trial.advance()).goes_on
        assert not controller.queue.over
    assert status_of(Sweep(home)).state == "unfinished"


DRIVER = """
import sys
from rich.console import Console
from pathlib import Path
from service.commands.run import run
run(Path(sys.argv[1]), Path(sys.argv[2]), [], Console())
"""


def test_a_driver_that_is_killed_leaves_the_population_as_it_was(evolved: Path, tmp_path: Path) -> None:
    """On Ray, by SIGKILL in the middle, and again: the tables are those of a run without kills."""
    file, runs = tmp_path / "evolving.yaml", tmp_path / "runs"
    file.write_text(EVOLVING)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    environment = os.environ | {"MLFLOW_TRACKING_URI": store}
    command = [sys.executable, "-c", DRIVER, str(file), str(runs)]
    for lines in (6, 12):  # after so many entries of the plan
        driver = subprocess.Popen(command, env=environment, start_new_session=True)
        _wait_for(runs / "evolving" / "plan.jsonl", lines, driver)
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    subprocess.run(command, env=environment, check=True, timeout=300)
    for found, expected in zip(tables(runs / "evolving"), tables(evolved), strict=True):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert states(runs / "evolving") == set()
    assert audit_population(runs / "evolving", 4, 6, 2, store) == []


def _wait_for(plan: Path, lines: int, driver: "subprocess.Popen[Any]") -> None:
    while driver.poll() is None:
        if plan.exists() and plan.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.05)
    raise AssertionError("the driver has ended before it could be killed")
