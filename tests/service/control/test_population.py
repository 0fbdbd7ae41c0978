"""A population that evolves, from made-up reports: turns, decisions, births, states, kills at each write."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from object_store import ObjectStore
from trials import ORIGIN, Heard, MakeSpec

from service.config.sweep import SweepSpec
from service.control.controller import SweepController
from service.record.parts import read_table
from service.record.plan import Plan
from service.results.sweep import frame_of
from service.storage.atomic import write_whole
from service.storage.layout import plan_file, state_file, states
from service.storage.paths import StoragePath
from service.worker.task import Report, Task

EPOCHS, READY, MEMBERS = 9, 3, 4
Quality = Callable[[int, int], float]


def evolving(small_spec: MakeSpec, trials: int = 20, **options: Any) -> SweepSpec:
    """Four members, compared after every third of nine epochs."""
    chosen = {"population": MEMBERS, "ready": READY, "synchronous": "true", "grace": 0} | options
    said = ", ".join(f"{key}: {value}" for key, value in chosen.items())
    return small_spec(
        learner__epochs=EPOCHS,
        learner__schedule="constant",
        objectives="[{metric: accuracy, goal: max}]",
        search__trials=trials,
        search__evolution=f"{{{said}}}",
    )


def by_chance(trial: int, epoch: int) -> float:
    """An accuracy that is the same in every run."""
    return float(np.random.default_rng([trial, epoch]).random())


class Worker:
    """Runs a task by saying what a real trial would, states included."""

    def __init__(self, task: Task, quality: Quality, silent: bool = False) -> None:
        self.task, self._quality, self._silent = task, quality, silent
        birth = task.birth
        self._newborn = birth is not None and task.since is None
        self.epoch = task.since or (birth.epoch if birth else 0)

    def advance(self) -> Report:
        task = self.task
        if self._newborn:
            assert task.parent is not None and task.birth is not None
            assert state_file(task.folder, task.parent, task.birth.epoch).read_bytes()
            self._newborn = False
            births = {"before_jitter": {"accuracy": [0.5, 0.7]}}
            return self._report({"births": births, "steps": task.birth.steps})
        self.epoch += 1
        done, paused = self.epoch == task.learner.epochs, self.epoch == task.until
        if paused:
            write_whole(state_file(task.folder, task.trial, self.epoch), b"state")
        return self._report({"done": done, "paused": paused})

    def _report(self, fields: dict[str, Any]) -> Report:
        n = self.task.learner.replicates
        accuracy = self._quality(self.task.trial, self.epoch)
        metrics = {
            "accuracy": [accuracy + 0.01 * r for r in range(n)],
            "silent": [float(self._silent)] * n,
            "seconds": [1.0] * n,
        }
        return Report(self.task.trial, self.epoch, metrics, origin=ORIGIN, cpu_seconds=1.0, **fields)


def turns(
    controller: SweepController, quality: Quality = by_chance, actors: int = 2, silent: tuple[int, ...] = ()
) -> Iterator[Report]:
    """Drive the sweep to its end with so many actors that take turns; yields each report that was taken."""
    running: list[Worker] = []
    while True:
        while len(running) < actors and (task := controller.next_task()):
            running.append(Worker(task, quality, task.trial in silent))
        if not running:
            return
        worker = running.pop(0)
        report = worker.advance()
        if controller.take(report).goes_on:
            running.append(worker)
        yield report


def drive(spec: SweepSpec, folder: StoragePath, **how: Any) -> list[Report]:
    heard = Heard()
    with closing(SweepController(spec, folder, [heard])) as controller:
        found = list(turns(controller, **how))
        assert controller.queue.over
    assert heard.idle == []  # others may follow from a trial that ends
    return found


def trials(folder: StoragePath) -> pd.DataFrame:
    return _table(folder, "trials").sort_values("trial", ignore_index=True)


def _table(folder: StoragePath, name: str) -> pd.DataFrame:
    return frame_of(read_table(folder / "tables" / name))


def final_places(rows: pd.DataFrame) -> pd.DataFrame:
    """Trials whose place no child has taken."""
    return rows[~rows["trial"].isin(rows["replaces"].dropna())]


@pytest.mark.parametrize("synchronous", ["true", "false"])
@pytest.mark.parametrize("actors", [1, 2, 3, 7])
def test_a_population_trains_to_the_end(
    tmp_path: Path, small_spec: MakeSpec, synchronous: str, actors: int
) -> None:
    drive(evolving(small_spec, synchronous=synchronous), tmp_path, actors=actors)
    rows = trials(tmp_path)
    places = final_places(rows)
    assert len(places) == MEMBERS and set(places["state"]) == {"complete"}
    assert set(places["epochs"]) == {EPOCHS}
    children = rows[rows["parent"].notna()]
    assert len(rows) == MEMBERS + len(children) > MEMBERS
    assert children["replaces"].is_unique
    replaced = rows.set_index("trial").loc[children["replaces"]]
    assert set(replaced["state"]) == {"pruned"}
    said = [f"replaced by trial {child}" for child in children["trial"]]
    assert replaced["reason"].tolist() == said
    assert states(tmp_path) == set()
    epochs = _table(tmp_path, "epochs")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any()
    for child in children.to_dict("records"):
        own = epochs[epochs["trial"] == child["trial"]]["epoch"]
        assert own.min() == child["birth_epoch"] and child["birth_epoch"] % READY == 0


def test_the_lower_quarter_is_replaced_by_children_of_the_upper(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Trial 2 is best and 0 worst; a child is as good as its number."""
    merit = {0: 0.1, 1: 0.3, 2: 0.9, 3: 0.5, 4: 0.2, 5: 0.0}
    drive(evolving(small_spec, grace=0), tmp_path, quality=lambda trial, epoch: merit.get(trial, 0.6))
    rows = trials(tmp_path).set_index("trial")
    children = rows[rows["parent"].notna()]
    assert children["replaces"].tolist() == [0, 4] and children["parent"].tolist() == [2, 2]
    assert children["birth_epoch"].tolist() == [3, 6] and children["generation"].tolist() == [1, 1]
    assert rows.loc[[0, 1, 2, 3], "generation"].tolist() == [0] * 4
    assert (rows.loc[0, "epochs"], rows.loc[4, "epochs"]) == (3, 6)
    assert set(children["move"]) <= {"perturb", "resample"} and rows.loc[4, "move_values"] != "{}"


def test_newborns_are_protected(tmp_path: Path, small_spec: MakeSpec) -> None:
    merit = {0: 0.1, 1: 0.3, 2: 0.9, 3: 0.5, 4: 0.2, 5: 0.0}
    spec = evolving(small_spec, grace=1)
    drive(spec, tmp_path, quality=lambda trial, epoch: merit.get(trial, 0.6))
    rows = trials(tmp_path)
    assert rows["replaces"].dropna().tolist() == [0]  # 4 is the worst at 6, but newly born


def test_the_least_trained_goes_next(tmp_path: Path, small_spec: MakeSpec) -> None:
    """With fewer actors than members, none that runs is a ready interval ahead of another that waits."""
    with closing(SweepController(evolving(small_spec, synchronous="false"), tmp_path)) as controller:
        population = controller.queue.population
        assert population is not None
        for report in turns(controller, actors=2):
            waiting = [one.epoch for one in population.living if not one.running]
            running = [one.epoch for one in population.living if one.running]
            assert not (waiting and running) or max(running) - min(waiting) <= READY
            assert report.epoch <= EPOCHS


def test_a_failed_member_is_replaced_and_never_a_parent(tmp_path: Path, small_spec: MakeSpec) -> None:
    merit = {2: 0.9}
    for synchronous in ("true", "false"):
        folder = tmp_path / synchronous
        with closing(SweepController(evolving(small_spec, synchronous=synchronous), folder)) as controller:
            for report in turns(controller, lambda trial, epoch: merit.get(trial, 0.1 * trial % 1)):
                if (report.trial, report.epoch) == (2, 1):
                    controller.lost(2, "lost: its node died")
        rows = trials(folder)
        assert rows.set_index("trial").loc[2, "state"] == "failed"
        assert 2 in rows["replaces"].tolist() and 2 not in rows["parent"].tolist()
        places = final_places(rows)
        assert len(places) == MEMBERS and set(places["state"]) == {"complete"}


def test_a_silent_member_is_replaced_and_never_a_parent(tmp_path: Path, small_spec: MakeSpec) -> None:
    drive(
        evolving(small_spec, grace=1),
        tmp_path,
        quality=lambda trial, epoch: 0.9 if trial == 1 else 0.1,
        silent=(1,),
    )
    rows = trials(tmp_path)
    assert rows["replaces"].tolist().count(1) == 1 and 1 not in rows["parent"].tolist()


def test_a_population_that_is_lost_ends_the_sweep(tmp_path: Path, small_spec: MakeSpec) -> None:
    with closing(SweepController(evolving(small_spec), tmp_path)) as controller:
        while task := controller.next_task():
            controller.take(Report(task.trial, 0, {}, failure="no luck"))
        assert controller.queue.over
    assert trials(tmp_path)["state"].tolist() == ["failed"] * MEMBERS


def test_trials_bound_founders_and_children(tmp_path: Path, small_spec: MakeSpec) -> None:
    drive(evolving(small_spec, trials=5), tmp_path)
    rows = trials(tmp_path)
    assert len(rows) == 5 and len(final_places(rows)) == MEMBERS


def test_no_child_is_planned_beyond_a_budget(tmp_path: Path, small_spec: MakeSpec) -> None:
    spec = evolving(small_spec)
    with closing(SweepController(spec, tmp_path)) as controller:
        for report in turns(controller):
            if report.epoch == 1:
                controller.queue.budget.used_up = lambda: "hours 1 of 1"  # type: ignore[method-assign]
    # Founders that had not begun are not, and those that had go on to the end.
    rows = trials(tmp_path)
    assert len(rows) == 2 and set(rows["state"]) == {"complete"}


@pytest.mark.parametrize("synchronous", ["true", "false"])
def test_states_are_bounded(tmp_path: Path, small_spec: MakeSpec, synchronous: str) -> None:
    """One for each member, its own or the one that it will be born from, and one that is being written."""
    with closing(SweepController(evolving(small_spec, synchronous=synchronous), tmp_path)) as controller:
        most = 0
        for _ in turns(controller, actors=1):
            most = max(most, len(states(tmp_path)))
            for member in controller.queue.population.living:  # type: ignore[union-attr]
                if member.state is not None:
                    assert state_file(tmp_path, member.trial, member.state).exists()
    assert most == MEMBERS


def test_a_plan_that_is_read_back_is_the_same(tmp_path: Path, small_spec: MakeSpec) -> None:
    drive(evolving(small_spec), tmp_path)
    first, second = (Plan(plan_file(tmp_path), writable=False) for _ in range(2))
    assert first.decisions == second.decisions and len(first.decisions) == 2
    born = [one for one in first.begun if one.birth]
    assert [one.trial for one in born] == [one.trial for made in first.decisions for one in made.children]
    assert all(asdict(one)["birth"]["founder"] < MEMBERS for one in born)


class Killed(BaseException):
    """The driver is gone."""


WHATEVER = ["seconds", "seconds_sem", "cpu_seconds", "gpu_seconds"]


@pytest.mark.parametrize("actors", [1, 2])
def test_killed_at_each_write_and_taken_up_again(small_spec: MakeSpec, actors: int) -> None:
    """Between plan, state and report, anywhere: the population stays, and the tables are those of no kill."""
    spec = evolving(small_spec, grace=0)
    store = ObjectStore()
    drive(spec, store.path(), actors=actors)
    expected = trials(store.path()).drop(columns=WHATEVER)
    epochs = _sorted_epochs(store.path())
    assert expected["replaces"].notna().sum() >= 2
    for at in range(0, 2000, 2):
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
        with closing(SweepController(spec, store.path())) as controller:
            for _ in turns(controller, actors=actors):
                assert len(states(store.path())) <= MEMBERS + actors
        found = trials(store.path())
        assert len(final_places(found)) == MEMBERS
        pd.testing.assert_frame_equal(found.drop(columns=WHATEVER), expected)
        pd.testing.assert_frame_equal(_sorted_epochs(store.path()), epochs)
    assert at > 60


def test_killed_asynchronously_no_member_is_lost_or_doubled(small_spec: MakeSpec) -> None:
    spec = evolving(small_spec, synchronous="false", grace=0)
    for at in range(0, 400, 5):
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
        places = final_places(rows)
        assert len(places) == MEMBERS and set(places["state"]) == {"complete"}, at
        assert rows["replaces"].dropna().is_unique
        assert rows["trial"].tolist() == list(range(len(rows)))


def _sorted_epochs(folder: StoragePath) -> pd.DataFrame:
    keys = ["trial", "replicate", "epoch"]
    return _table(folder, "epochs").sort_values(keys, ignore_index=True)


def test_pairs_have_the_same_seeds(tmp_path: Path, small_spec: MakeSpec) -> None:
    """So that members differ by their fields, not by luck of the draw; a child has its founder's seeds."""
    paired = small_spec(
        learner__epochs=EPOCHS,
        learner__schedule="constant",
        learner__replicates=3,
        objectives="[{metric: accuracy, goal: max}]",
        search__trials=20,
        search__evolution="{population: 4, ready: 3, exploit: paired, grace: 0, synchronous: true}",
    )
    drive(paired, tmp_path / "paired", quality=lambda trial, epoch: trial / 20 + (0.5 if trial > 3 else 0))
    rows = trials(tmp_path / "paired")
    assert rows["seed"].nunique() == 1 and rows["replaces"].notna().any()
    drive(evolving(small_spec), tmp_path / "own")
    own = trials(tmp_path / "own").set_index("trial")
    assert own["seed"].nunique() == MEMBERS
    for child in own[own["parent"].notna()].index:
        assert own.loc[child, "seed"] == own.loc[own.loc[child, "parent"], "seed"]


def test_several_objectives_and_constraints(tmp_path: Path, small_spec: MakeSpec) -> None:
    """What breaks a constraint is replaced first, however good it is otherwise."""
    spec = small_spec(
        learner__epochs=EPOCHS,
        learner__schedule="constant",
        objectives="[{metric: accuracy, goal: max}, {metric: seconds, goal: min}]",
        constraints="[{metric: accuracy, max: 0.9}]",
        search__trials=20,
        search__evolution="{population: 4, ready: 3, grace: 0, synchronous: true}",
    )
    drive(spec, tmp_path, quality=lambda trial, epoch: 0.95 if trial == 1 else 0.1 + 0.01 * trial)
    rows = trials(tmp_path)
    assert rows["replaces"].dropna().tolist()[0] == 1 and 1 not in rows["parent"].tolist()


def test_a_plan_that_is_lost_ends_what_ran(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Finished trials stay, with their lineages; the others are said to be lost."""
    spec = evolving(small_spec)
    controller = SweepController(spec, tmp_path)
    for report in turns(controller, actors=1):
        if report.epoch == READY + 1:
            break
    controller.close()
    before = Plan(plan_file(tmp_path), writable=False)
    plan_file(tmp_path).unlink()
    drive(spec, tmp_path)
    rows = trials(tmp_path).set_index("trial")
    lost = {one.trial for one in before.begun} - set(rows[rows["state"] == "pruned"].index)
    assert all(
        str(reason).startswith("lost: ") for reason in rows.loc[sorted(lost & set(rows.index)), "reason"]
    )
