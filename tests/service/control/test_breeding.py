"""An archive and generations, from made-up reports: who has children, which states stay, kills."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from object_store import ObjectStore
from trials import ORIGIN, Heard, MakeSpec

from search.evolution.archive import Entry, elites
from service.config.sweep import SweepSpec
from service.control.controller import SweepController
from service.record.parts import read_table
from service.results.sweep import frame_of
from service.storage.atomic import write_whole
from service.storage.layout import network_file, pictures_folder, state_file, states
from service.storage.paths import StoragePath
from service.worker.task import Report, Task

EPOCHS, READY, FOUNDERS = 3, 2, 4
ARCHIVE = "archive: {measures: {modularity: [0, 1], rate: [0, 10]}, cells: [3, 2]}"
WHATEVER = ["seconds", "seconds_sem", "cpu_seconds", "gpu_seconds"]

Measured = dict[str, Any]
Quality = Callable[[Task], Measured]


def breeding(small_spec: MakeSpec, mode: str = ARCHIVE, trials: int = 24, **changes: Any) -> SweepSpec:
    """Four founders of three epochs, and children that train for two more."""
    several = "[{metric: accuracy, goal: max}, {metric: rate, goal: min}]"
    asked = {
        "learner__epochs": EPOCHS,
        "learner__schedule": "constant",
        "objectives": several if "generations" in mode else "[{metric: accuracy, goal: max}]",
        "search__sampler": "nsga2" if "generations" in mode else "random",
        "search__trials": trials,
        "search__evolution": f"{{population: {FOUNDERS}, ready: {READY}, synchronous: true, {mode}}}",
    }
    return small_spec(**asked | changes)


def by_chance(task: Task) -> Measured:
    """Results that are the same in every run, with ties."""
    draw = np.random.default_rng([task.trial, 3]).random(3)
    return {"accuracy": round(draw[0], 1), "modularity": draw[1], "rate": 10 * draw[2], "silent": 0.0}


class Worker:
    """Runs a task by saying what a real trial would, its state included."""

    def __init__(self, task: Task, quality: Quality) -> None:
        self.task, self._quality = task, quality
        self._newborn = task.birth is not None
        self.epoch = task.birth.epoch if task.birth else 0

    def advance(self) -> Report:
        task = self.task
        if self._newborn:
            assert task.parent is not None and task.birth is not None
            if not state_file(task.folder, task.parent, task.birth.epoch).exists():
                return Report(task.trial, self.epoch, {}, failure="there is no such state")
            self._newborn = False
            births = {"before_jitter": {"accuracy": [0.5, 0.7]}}
            return self._report({"births": births, "steps": task.birth.steps})
        self.epoch += 1
        done = self.epoch == task.learner.epochs
        if self.epoch == task.until:
            write_whole(state_file(task.folder, task.trial, self.epoch), b"state")
        if done:
            write_whole(network_file(task.folder, task.trial), b"networks")
        return self._report({"done": done})

    def _report(self, fields: dict[str, Any]) -> Report:
        n = self.task.learner.replicates
        found = self._quality(self.task) | {"seconds": 1.0}
        if (failure := found.pop("failure", None)) and fields.get("done"):
            return Report(self.task.trial, self.epoch, {}, failure=f"failed by {failure}")
        wanted = self.task.measures if fields.get("done") else ()
        measures = {name: [found[name]] * n for name in wanted}
        metrics = {name: [value] * n for name, value in found.items() if name != "modularity"}
        return Report(
            self.task.trial, self.epoch, metrics, measures, origin=ORIGIN, cpu_seconds=1.0, **fields
        )


def turns(controller: SweepController, quality: Quality = by_chance, actors: int = 2) -> Iterator[Report]:
    """Drive the sweep to its end with so many actors; the one that began last reports first now and then."""
    running: list[Worker] = []
    while True:
        while len(running) < actors and (task := controller.next_task()):
            running.append(Worker(task, quality))
        if not running:
            return
        worker = running.pop(-1 if running[-1].task.trial % 3 == 0 else 0)
        report = worker.advance()
        if controller.take(report).goes_on:
            running.append(worker)
        yield report


def drive(spec: SweepSpec, folder: StoragePath, **how: Any) -> None:
    heard = Heard()
    with closing(SweepController(spec, folder, [heard])) as controller:
        for _ in turns(controller, **how):
            pass
        assert controller.queue.over
    assert heard.idle == []  # others may follow from a trial that ends


def table(folder: StoragePath, name: str, *keys: str) -> pd.DataFrame:
    return frame_of(read_table(folder / "tables" / name)).sort_values([*keys], ignore_index=True)


def trials(folder: StoragePath) -> pd.DataFrame:
    return table(folder, "trials", "trial")


def elites_before(spec: SweepSpec, rows: pd.DataFrame, trial: int) -> set[int]:
    """Elites of the first trials, by the table alone."""
    assert spec.search.evolution is not None and spec.search.evolution.archive is not None
    known = rows[(rows["trial"] < trial) & (rows["state"] == "complete")]
    columns = known[["trial", "accuracy", "modularity", "rate"]].to_dict("records")
    entries = [Entry(row["trial"], row["accuracy"], (row["modularity"], row["rate"])) for row in columns]
    return {one.trial for one in elites(entries, spec.search.evolution.archive).values()}


@pytest.mark.parametrize("actors", [1, 3])
def test_children_of_elites_train_on(tmp_path: Path, small_spec: MakeSpec, actors: int) -> None:
    """Each for `ready` epochs beyond its parent, from one of the elites of the blocks before its own."""
    spec = breeding(small_spec)
    drive(spec, tmp_path, actors=actors)
    rows = trials(tmp_path)
    assert len(rows) == 24 and set(rows["state"]) == {"complete"}
    assert rows["parent"].notna().tolist() == [False] * FOUNDERS + [True] * 20
    assert rows["replaces"].isna().all()
    by_trial = rows.set_index("trial")
    used = Counter[int]()
    for child in rows[rows["parent"].notna()].to_dict("records"):
        parent = by_trial.loc[child["parent"]]
        assert child["birth_epoch"] == parent["epochs"] and child["epochs"] == parent["epochs"] + READY
        assert child["generation"] == parent["generation"] + 1
        assert child["parent"] in elites_before(spec, rows, child["trial"] - child["trial"] % FOUNDERS)
        used[int(child["parent"])] += 1
    assert len(used) >= 5  # drawn from all of them
    epochs = table(tmp_path, "epochs", "trial", "replicate", "epoch")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any()
    left = elites_before(spec, rows, 24)
    assert {trial for trial, _ in states(tmp_path)} == left and len(left) <= 6
    assert all(epoch == by_trial.loc[trial, "epochs"] for trial, epoch in states(tmp_path))


def test_parents_are_drawn_uniformly(tmp_path: Path, small_spec: MakeSpec) -> None:
    """All founders are elites that no child beats: 200 children of four parents."""

    def worse(task: Task) -> Measured:
        founder = task.trial < FOUNDERS
        place = 0.3 * task.trial + 0.05 if founder else 0.9
        return {"accuracy": 0.9 if founder else 0.1, "silent": 0.0, "modularity": place, "rate": 1.0}

    grid = "archive: {measures: {modularity: [0, 1.2], rate: [0, 10]}, cells: [4, 1]}"
    spec = breeding(small_spec, grid, 204)
    drive(spec, tmp_path, quality=worse)
    counts = trials(tmp_path)["parent"].value_counts()
    assert sorted(counts.index) == [0, 1, 2, 3] and counts.sum() == 200
    assert ((counts - 50) ** 2 / 50).sum() < 11.34  # chi-squared with 3 degrees of freedom, 1 %


@pytest.mark.parametrize("synchronous", ["true", "false"])
def test_states_and_networks_are_bounded(tmp_path: Path, small_spec: MakeSpec, synchronous: str) -> None:
    """One state a cell, those of trials that run, and of elites that the block has still to draw from."""
    spec = breeding(small_spec, trials=60, search__evolution__synchronous=synchronous, record__networks=2)
    most = 0
    with closing(SweepController(spec, tmp_path)) as controller:
        for _ in turns(controller, actors=2):
            most = max(most, len(states(tmp_path)))
        assert controller.queue.over
    assert 4 <= most <= 6 + 2 + (FOUNDERS if synchronous == "true" else 2)
    assert set(trials(tmp_path)["state"]) == {"complete"}
    left = elites_before(spec, trials(tmp_path), 60)
    assert {trial for trial, _ in states(tmp_path)} == left


def test_networks_of_elites_are_kept_beside_those_of_leaders(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Though many trials have a better objective: the owner of a cell is not measured by others' cells."""
    spec = breeding(small_spec, trials=40, record__networks=2)
    with closing(SweepController(spec, tmp_path)) as controller:
        for report in turns(controller):
            if report.done:
                write_whole(pictures_folder(tmp_path, report.trial) / "delays.png", b"drawn")
    rows = trials(tmp_path)
    held = elites_before(spec, rows, 40)
    kept = {int(path.stem) for path in (tmp_path / "networks").iterdir()}
    assert held <= kept and len(kept) <= len(held) + 2 < 40


def test_failed_silent_and_unmeasured_trials_are_no_parents(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Nor those that break a constraint."""

    def odd(task: Task) -> Measured:
        found = by_chance(task) | {"accuracy": 0.95}
        kinds: dict[int, dict[str, Any]] = {
            0: {"failure": "chance"},
            1: {"silent": 1.0},
            2: {"modularity": float("nan")},
            4: {"wiring_length": 99.0},
        }
        return {"wiring_length": 1.0} | found | kinds.get(task.trial % 5, {"accuracy": 0.1})

    spec = breeding(small_spec, trials=40, constraints="[{metric: wiring_length, max: 10}]")
    drive(spec, tmp_path, quality=odd)
    rows = trials(tmp_path)
    assert set(rows["state"]) == {"complete", "failed"}
    assert {int(n) % 5 for n in rows["parent"].dropna()} == {3}


def test_without_a_parent_the_sampler_goes_on(tmp_path: Path, small_spec: MakeSpec) -> None:
    def late(task: Task) -> Measured:
        return by_chance(task) | ({"failure": "chance"} if task.trial < 9 else {})

    drive(breeding(small_spec), tmp_path, quality=late)
    rows = trials(tmp_path)
    assert rows["parent"].isna().tolist() == [True] * 12 + [False] * 12


def test_inheriting_nothing_is_training_from_scratch(tmp_path: Path, small_spec: MakeSpec) -> None:
    """The parent is known, the networks are not used, and results are explained by the fields alone."""
    drive(breeding(small_spec, f"{ARCHIVE}, inherit: nothing"), tmp_path)
    rows = trials(tmp_path)
    children = rows[rows["parent"].notna()]
    assert len(children) == 20 and set(rows["epochs"]) == {EPOCHS}
    assert children["move"].isna().all() and children["birth_epoch"].isna().all()
    assert rows["seed"].is_unique and states(tmp_path) == set()


@pytest.mark.parametrize("inherit", ["networks", "nothing"])
@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_generations_breed_from_the_best(
    tmp_path: Path, small_spec: MakeSpec, sampler: str, inherit: str
) -> None:
    """Each child of a trial that no more than three others of the earlier ones dominate, as parents are."""
    mode = f"generations: true, inherit: {inherit}"
    drive(breeding(small_spec, mode, trials=32, search__sampler=sampler), tmp_path)
    rows = trials(tmp_path).set_index("trial")
    children = rows[rows["parent"].notna()]
    assert len(children) == 28
    for child in children.reset_index().to_dict("records"):
        start = child["trial"] - child["trial"] % FOUNDERS
        known, parent = rows.loc[: start - 1], rows.loc[child["parent"]]
        assert child["parent"] < start
        better = known[(known["accuracy"] >= parent["accuracy"]) & (known["rate"] <= parent["rate"])]
        assert len(better) - 1 < FOUNDERS
        longer = READY if inherit == "networks" else 0
        expected = parent["epochs"] + longer if longer else EPOCHS
        assert child["epochs"] == expected
    if inherit == "networks":
        assert 0 < len(states(tmp_path)) <= 2 * FOUNDERS
    else:
        assert states(tmp_path) == set()


def test_a_child_of_two_has_the_fields_of_both_and_the_networks_of_one(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    """Without mutation each settable field is one of the parents', the others are the first's."""
    space = (
        "{learner.wiring_cost: {log: [1e-3, 1.0]}, learner.learning_rate: {log: [0.01, 1]}, "
        "learner.dimensions: {choice: [1, 2, 3, 4]}}"
    )
    mode = "generations: true, explore: {perturb: 1, resample: 0}"
    drive(breeding(small_spec, mode, trials=40, space=space, search__crossover=1.0), tmp_path)
    rows = trials(tmp_path).set_index("trial")
    mixed = 0
    for child in rows[rows["parent"].notna()].reset_index().to_dict("records"):
        parent = rows.loc[child["parent"]]
        assert child["dimensions"] == parent["dimensions"]
        fields = ["wiring_cost", "learning_rate"]
        others = rows.loc[: child["trial"] - 1]
        assert all(child[name] in others[name].tolist() for name in fields)
        mixed += sum(child[name] == parent[name] for name in fields) == 1
    assert mixed >= 4
    assert set(rows["move"].dropna()) == {"perturb", "copy"}


def test_duplicates_have_children_of_the_networks_that_they_stand_for(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    space = "{learner.dimensions: {choice: [1, 2]}}"
    alone = {"space": space, "search__evolution__synchronous": "false"}
    drive(breeding(small_spec, "generations: true", trials=16, **alone), tmp_path, actors=1)
    rows = trials(tmp_path).set_index("trial")
    assert rows["duplicate_of"].notna().sum() >= 2 and set(rows["state"]) == {"complete"}
    children = rows[rows["parent"].notna()]
    assert rows.loc[children["parent"], "duplicate_of"].isna().all() and len(children) == 12


class Killed(BaseException):
    """The driver is gone."""


@pytest.mark.parametrize("mode", [ARCHIVE, "generations: true", "generations: true, inherit: nothing"])
@pytest.mark.parametrize("actors", [1, 2])
def test_killed_at_each_write_and_taken_up_again(small_spec: MakeSpec, actors: int, mode: str) -> None:
    """Anywhere between plan, state and report: the tables are those of a run that was never killed."""
    spec = breeding(small_spec, mode, trials=14)
    store = ObjectStore()
    drive(spec, store.path(), actors=actors)
    expected = trials(store.path()).drop(columns=WHATEVER)
    epochs = table(store.path(), "epochs", "trial", "replicate", "epoch")
    assert expected["parent"].notna().sum() == 10
    for at in range(0, 2000, 19):
        store, left = ObjectStore(), at

        def kill(what: str, key: str) -> None:
            nonlocal left
            left -= what in ("write", "deleted")
            if left < 0:
                raise Killed

        store.fail = kill
        with suppress(Killed):
            drive(spec, store.path(), actors=actors)
            break
        store.fail = lambda what, key: None
        drive(spec, store.path(), actors=actors)
        found = trials(store.path())
        pd.testing.assert_frame_equal(found.drop(columns=WHATEVER), expected)
        pd.testing.assert_frame_equal(table(store.path(), "epochs", "trial", "replicate", "epoch"), epochs)
    assert at > 60


@pytest.mark.parametrize("mode", [ARCHIVE, "generations: true"])
def test_the_number_of_workers_does_not_matter(tmp_path: Path, small_spec: MakeSpec, mode: str) -> None:
    """As long as it is synchronous."""
    spec = breeding(small_spec, mode)
    for actors in (1, 2, 5):
        drive(spec, tmp_path / str(actors), actors=actors)
    one, two, five = (trials(tmp_path / str(n)).drop(columns=WHATEVER) for n in (1, 2, 5))
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(one, five)


def test_killed_asynchronously_nothing_is_lost_or_doubled(small_spec: MakeSpec) -> None:
    spec = breeding(small_spec, trials=14, search__evolution__synchronous="false")
    for at in range(0, 120, 11):
        store, writes = ObjectStore(), Counter[str]()

        def kill(what: str, key: str, at: int = at, writes: Counter[str] = writes) -> None:
            writes["now"] += what in ("write", "deleted")
            if writes["now"] > at and writes["kills"] < 5:  # and again, after as many writes
                writes["now"], writes["kills"] = 0, writes["kills"] + 1
                raise Killed

        store.fail = kill
        for _ in range(10):
            with suppress(Killed):
                drive(spec, store.path())
                break
        rows = trials(store.path())
        assert rows["trial"].tolist() == list(range(14)), at
        assert set(rows["state"]) == {"complete"}, at


def test_more_trials_go_on_from_the_elites(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Their states are there for it, and the tables are those of a sweep that had so many from the start."""
    drive(breeding(small_spec, trials=12), tmp_path / "grown")
    drive(breeding(small_spec, trials=24), tmp_path / "grown")
    drive(breeding(small_spec, trials=24), tmp_path / "at once")
    grown, whole = (trials(tmp_path / name).drop(columns=WHATEVER) for name in ("grown", "at once"))
    pd.testing.assert_frame_equal(grown, whole)
