"""What is begun and when it ends: the plan, budgets, more seeds for leaders, earlier sweeps."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from search import Search, Suggestion
from search.background import BackgroundSearch
from service import Sweep
from service.commands.run import conduct
from service.config.load import read_sweep
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import SweepError, UserError
from service.record.leaders import leaders, shown_trials
from service.record.plan import MORE_SEEDS, Plan, PlannedTrial, WarmStartTrial
from service.results.warm_start import find_sources
from service.worker.task import Report, Task

MakeSpec = Callable[..., SweepSpec]
ONE = "[{metric: accuracy, goal: max}]"


def report(task: Task, accuracy: float, spread: float = 0.0, **fields: Any) -> Report:
    """The last report of a trial; its replicates differ by `spread` from one to the next."""
    n = task.learner.replicates
    metrics = {
        "accuracy": [accuracy - spread * r for r in range(n)],
        "wiring_length": [10.0] * n,
        "seconds": [3.0] * n,
    }
    return Report(task.trial, task.learner.epochs, metrics, done=True, cpu_seconds=1800.0, **fields)


def run_all(
    controller: SweepController, accuracy: Callable[[Task], float], spread: float = 0.0
) -> list[Task]:
    """Run the sweep to its end, a trial at a time."""
    tasks = []
    while (task := controller.next_task()) is not None:
        controller.take(report(task, accuracy(task), spread))
        tasks.append(task)
    return tasks


def table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "tables" / "trials").sort_values("trial")


class TestPlan:
    def test_keeps_what_was_begun(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.jsonl"
        plan = Plan(path)
        begun = [
            PlannedTrial(Suggestion(0, {"learner.dt": 1.0}, None, {"learner.dimensions": 2}, 0)),
            PlannedTrial(Suggestion(1, {"learner.dt": None}, 0, {}, 7), 0, MORE_SEEDS, 8),
        ]
        plan.start_from([WarmStartTrial("early/3", {"learner.dt": 2.0}, {"accuracy": 0.5})])
        for one in begun:
            plan.add(one)
            plan.pass_time(1.5 * one.trial)
        again = Plan(path)
        assert (again.begun, again.sources, again.elapsed) == (begun, plan.sources, 1.5)

    @pytest.mark.parametrize("cut", [1, 30])
    def test_a_last_line_cut_short_is_dropped(self, tmp_path: Path, cut: int) -> None:
        path = tmp_path / "plan.jsonl"
        plan = Plan(path)
        for n in range(2):
            plan.add(PlannedTrial(Suggestion(n, {})))
        path.write_bytes(path.read_bytes()[:-cut])
        assert [one.trial for one in Plan(path).begun] == [0]
        Plan(path).add(PlannedTrial(Suggestion(1, {})))
        assert [one.trial for one in Plan(path).begun] == [0, 1]

    def test_a_line_that_is_none_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.jsonl"
        Plan(path).add(PlannedTrial(Suggestion(0, {})))
        path.write_text(path.read_text() + '{"trial": 3}\n')
        with pytest.raises(SweepError, match=r"plan.jsonl:2: this is no trial that was begun; restore"):
            Plan(path)


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_a_sweep_without_its_plan_goes_on_from_its_tables(
    tmp_path: Path, small_spec: MakeSpec, sampler: str
) -> None:
    spec = small_spec(search__sampler=sampler, search__trials=8)
    before = SweepController(spec, tmp_path)
    for _ in range(4):
        task = before.next_task()
        assert task is not None
        before.take(report(task, 0.5))
    cut_short = before.next_task()
    assert cut_short is not None
    before.take(Report(4, 1, {"accuracy": [0.5, 0.5], "wiring_length": [1.0, 1.0], "seconds": [1.0, 1.0]}))
    (tmp_path / "plan.jsonl").unlink()
    with closing(SweepController(spec, tmp_path)) as controller:
        assert [task.trial for task in run_all(controller, lambda _: 0.5)] == [5, 6, 7]
        assert controller.queue.over
    trials = table(tmp_path)
    assert trials["trial"].tolist() == list(range(8))
    assert trials["reason"][4] == "lost: plan.jsonl, which said what it was, has been removed"
    assert trials["wiring_cost"].nunique() == 7


def test_a_trial_whose_row_is_gone_is_run_again(tmp_path: Path, small_spec: MakeSpec) -> None:
    """As after the tables were restored from an older copy than the plan."""
    spec = small_spec(search__trials=3)
    with closing(SweepController(spec, tmp_path)) as controller:
        first = run_all(controller, lambda _: 0.5)
    for path in [*(tmp_path / "tables/trials").iterdir(), *(tmp_path / "tables/epochs").iterdir()]:
        path.unlink()
    with closing(SweepController(spec, tmp_path)) as controller:
        assert run_all(controller, lambda _: 0.5) == first


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe", "nsga2", "nsga3"])
def test_a_resumed_sweep_asks_for_what_it_would_have_asked_anyway(
    tmp_path: Path, small_spec: MakeSpec, sampler: str
) -> None:
    changes: dict[str, Any] = {"search": f"{{sampler: {sampler}, trials: 24, seed: 3}}"}
    if sampler.startswith("nsga"):
        changes["search__population"] = 4
    spec = small_spec(**changes)

    def accuracy(task: Task) -> float:
        return 1 / (1 + task.learner.wiring_cost + task.learner.dimensions)

    with closing(SweepController(spec, tmp_path / "steady")) as controller:
        steady = run_all(controller, accuracy)
    resumed: list[Task] = []
    while len(resumed) < 24:
        with closing(SweepController(spec, tmp_path / "resumed")) as controller:
            for _ in range(5):
                task = controller.next_task()
                if task is not None:
                    controller.take(report(task, accuracy(task)))
                    resumed.append(task)
    assert [task.learner for task in resumed] == [task.learner for task in steady]
    assert [task.seed for task in resumed] == [task.seed for task in steady]


class TestBudget:
    def test_compute_ends_the_search_and_more_of_it_goes_on(
        self, tmp_path: Path, small_spec: MakeSpec
    ) -> None:
        with closing(
            SweepController(small_spec(search__trials=9, budget__cpu_hours=1.5), tmp_path)
        ) as controller:
            assert len(run_all(controller, lambda _: 0.5)) == 3  # half an hour each
            assert controller.queue.over
            assert (
                controller.queue.exhausted_budget == "cpu_hours 1.5 of 1.5; raise `budget.cpu_hours` to go on"
            )
        with closing(
            SweepController(small_spec(search__trials=9, budget__cpu_hours=2.5), tmp_path)
        ) as controller:
            assert [task.trial for task in run_all(controller, lambda _: 0.5)] == [3, 4]

    def test_time_is_that_of_all_sessions(
        self, tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = time.monotonic()
        spec = small_spec(search__trials=9, budget__hours=1)
        for expected in ([0, 1], [2], []):
            monkeypatch.setattr(time, "monotonic", lambda: now)
            with closing(SweepController(spec, tmp_path)) as controller:
                begun = []
                for minutes in (0, 31):
                    at = now + minutes * 60
                    monkeypatch.setattr(time, "monotonic", lambda at=at: at)
                    task = controller.next_task()
                    if task is not None:
                        controller.take(report(task, 0.5))
                        begun.append(task.trial)
                assert begun == expected
        assert controller.queue.exhausted_budget is not None and controller.queue.exhausted_budget.startswith(
            "hours 1."
        )

    def test_disk(self, tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("service.record.budget.DISK_SECONDS", 0.0)
        with closing(SweepController(small_spec(budget__gigabytes=0.001), tmp_path)) as controller:
            task = controller.next_task()
            assert task is not None
            controller.take(report(task, 0.5))
            (tmp_path / "networks").mkdir()
            (tmp_path / "networks" / "large").write_bytes(bytes(1_000_000))
            assert controller.next_task() is None and controller.queue.over
            assert "gigabytes 0.00" in str(controller.queue.exhausted_budget)

    def test_a_plateau_ends_the_search(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        changes = {
            "search__trials": 20,
            "objectives": ONE,
            "constraints": "[{metric: wiring_length, max: 20}]",
        }
        spec = small_spec(**changes, budget__plateau="{trials: 3, gain: 0.01}")
        values = [0.1, 0.3, 0.5, 0.5, 0.5, 0.5]
        with closing(SweepController(spec, tmp_path)) as controller:
            assert len(run_all(controller, lambda task: values[task.trial])) == 6
            assert str(controller.queue.exhausted_budget).startswith(
                "the last 3 trials have added 0.00% to the hyp"
            )
        with closing(SweepController(spec, tmp_path)) as controller:
            assert controller.next_task() is None
        wider = small_spec(**changes, budget__plateau="{trials: 4, gain: 0.01}")
        with closing(SweepController(wider, tmp_path)) as controller:
            assert len(run_all(controller, lambda _: 0.5)) == 1


def test_a_grid_has_no_more_trials_than_combinations(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {"space": "{learner.dimensions: {choice: [1, 2]}}", "search__sampler": "grid"}
    with closing(SweepController(small_spec(**changes), tmp_path)) as controller:
        assert controller.spec.planned == 2
        assert len(run_all(controller, lambda _: 0.5)) == 2
        assert controller.queue.over
    with closing(SweepController(small_spec(search__trials=5), tmp_path / "random")) as controller:
        assert controller.spec.planned == 5


class TestLeaders:
    CHANGES: dict[str, Any] = {  # noqa: RUF012
        "objectives": ONE,
        "search__trials": 4,
        "replicates": "{leaders: 4, trials: 2}",
    }

    def test_are_run_again_with_more_seeds_and_stand_for_themselves(
        self, tmp_path: Path, small_spec: MakeSpec
    ) -> None:
        """Trial 1 led by luck: with more seeds it falls behind trial 2, and trial 0 is looked at, too."""
        spec = small_spec(**self.CHANGES)
        few = [0.7, 0.9, 0.8, 0.1]
        many = {0: 0.6, 1: 0.5, 2: 0.85}
        seeds: dict[int, int] = {}

        def accuracy(task: Task) -> float:
            seeds.setdefault(task.seed, task.trial)
            return few[task.trial] if task.learner.replicates == 2 else many[seeds[task.seed]]

        (tmp_path / "sweep.yaml").write_text(dump(spec))
        with closing(SweepController(spec, tmp_path)) as controller:
            tasks = run_all(controller, accuracy)
            assert controller.queue.over
            rows = controller.record.rows("trials").to_pylist()
            shown = shown_trials(rows, spec.objectives, spec.constraints)
        assert [task.learner.replicates for task in tasks] == [2, 2, 2, 2, 4, 4, 4]
        assert tasks[4].seeds[:2] == tasks[1].seeds and len(set(tasks[4].seeds)) == 4
        assert tasks[4].learner.wiring_cost == tasks[1].learner.wiring_cost
        trials = table(tmp_path)
        assert trials["parent"].dropna().tolist() == [1, 2, 0]
        assert set(trials["move"].dropna()) == {"more seeds"}
        assert Sweep(tmp_path).front()["trial"].tolist() == [5]
        assert shown == [5, 6, 4, 3]

    def test_wait_for_all_suggestions_and_survive_a_kill(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        spec = small_spec(**self.CHANGES)
        before = SweepController(spec, tmp_path)
        tasks = [before.next_task() for _ in range(4)]
        assert before.next_task() is None and not before.queue.over
        for n, task in enumerate(tasks):
            assert task is not None
            before.take(report(task, 0.1 * n))
        leader, other = before.next_task(), before.next_task()
        assert leader is not None and other is not None
        assert before.next_task() is None and not before.queue.over
        with closing(SweepController(spec, tmp_path)) as controller:
            again = controller.next_task()
            assert again == leader
            controller.take(report(again, 0.9))
            assert len(run_all(controller, lambda _: 0.9)) == 1

    def test_more_trials_afterwards_are_numbered_on(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        with closing(SweepController(small_spec(**self.CHANGES), tmp_path)) as controller:
            run_all(controller, lambda task: 0.1 * task.trial)
        larger = small_spec(**{**self.CHANGES, "search__trials": 5})
        with closing(SweepController(larger, tmp_path)) as controller:
            more = run_all(controller, lambda task: 0.0)
        assert [(task.trial, task.learner.replicates) for task in more] == [(6, 2)]

    def test_are_ranked_within_the_constraints(self, small_spec: MakeSpec) -> None:
        spec = small_spec(constraints="[{metric: silent, max: 0.2}]")
        known = {"state": "complete", "move": None, "parent": None, "reason": None}
        rows = [
            known | {"trial": trial, "accuracy": accuracy, "wiring_length": length, "silent": silent}
            for trial, (accuracy, length, silent) in enumerate(
                [(0.9, 9.0, 0.5), (0.5, 5.0, 0.0), (0.6, 6.0, 0.1), (0.7, 5.5, 0.0), (0.8, 8.0, float("nan"))]
            )
        ]
        rows.append(rows[1] | {"trial": 5, "reason": "duplicate of trial 1"})
        best = leaders(rows, spec.objectives, spec.constraints, 9)
        assert [row["trial"] for row in best] == [1, 3, 2, 0]


class TestWarmStart:
    def earlier(self, folder: Path, spec: SweepSpec) -> None:
        with closing(SweepController(spec, folder / "early")) as controller:
            run_all(controller, lambda task: 1 / (1 + task.learner.wiring_cost))
        (folder / "early" / "sweep.yaml").write_text(dump(spec))

    def test_takes_what_fits(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=8))
        narrower = {"space": "{learner.wiring_cost: {log: [1e-4, 1e-2]}}", "search": "{warm_start: [early]}"}
        later = small_spec(**narrower, learner__dimensions=2)
        known = table(tmp_path / "early")
        fits = known[known["wiring_cost"] <= 1e-2]
        assert 0 < len(fits) < 8
        found = find_sources(later, tmp_path)
        assert [source.name for source in found] == [f"early/{trial}" for trial in fits["trial"]]
        assert [source.metrics["accuracy"] for source in found] == fits["accuracy"].tolist()
        assert {tuple(source.values) for source in found} == {("learner.wiring_cost",)}

    def test_is_found_once_and_kept(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=12))
        spec = small_spec(search="{sampler: tpe, trials: 3, warm_start: [early]}")
        cold = small_spec(search="{sampler: tpe, trials: 3}")
        asked: list[Any] = []
        for sources in (find_sources(spec, tmp_path), []):
            with closing(SweepController(spec, tmp_path / "later", sources=sources)) as controller:
                assert len(controller.queue._search.study.trials) == 12 + len(asked)
                task = controller.next_task()
                assert task is not None
                controller.take(report(task, 0.5))
                asked.append(task.learner)
        with closing(SweepController(cold, tmp_path / "cold")) as controller:
            assert run_all(controller, lambda _: 0.5)[0].learner != asked[0]
        assert table(tmp_path / "later")["trial"].tolist() == [0, 1]

    def test_what_cannot_be_used_is_said(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        self.earlier(tmp_path, small_spec(search__trials=2))
        with pytest.raises(ValueError, match=r"`late` can't be read .* sweeps there: early"):
            find_sources(small_spec(search="{warm_start: [late]}"), tmp_path)
        other = small_spec(search="{warm_start: [early]}", objectives="[{metric: rate, goal: min}]")
        with pytest.raises(ValueError, match="`early` has 2 trials, and none is complete, in this space"):
            find_sources(other, tmp_path)

    def test_a_sweep_that_is_not_there_is_a_fault_with_its_line(
        self, tmp_path: Path, sweep_file: Path, small_spec: MakeSpec
    ) -> None:
        text = sweep_file.read_text().replace("{sampler: random,", "{warm_start: [late],")
        sweep_file.write_text(text)
        line = 1 + text[: text.index("search:")].count("\n")
        runs = tmp_path / "runs"

        def execute(controller: SweepController) -> None:
            raise AssertionError("nothing is to be run")

        with pytest.raises(UserError) as raised:
            conduct(*read_sweep(sweep_file), runs, Console(), execute)
        assert str(raised.value).startswith(f"{sweep_file}:{line}: search.warm_start: `late` can't be read")
        assert not runs.exists()


class SlowSearch:
    """A search that suggests when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.told: list[str] = []

    def ask(self, trial: int) -> Suggestion:
        self.let.wait()
        self.told.append(f"asked {trial}")
        return Suggestion(trial, {})


def test_a_slow_suggestion_holds_up_no_result() -> None:
    slow = SlowSearch()
    asking = BackgroundSearch(slow)  # type: ignore[arg-type]

    def tell(word: str) -> Callable[[Search], None]:
        return lambda search: slow.told.append(word)

    asking.tell(tell("before"))
    assert asking.ask(0, patience=0.01) is None
    asking.tell(tell("meanwhile"))
    assert slow.told == ["before"]  # the suggestion must not depend on how long it took
    slow.let.set()
    assert asking.ask(0, patience=None) == Suggestion(0, {})
    assert slow.told == ["before", "asked 0", "meanwhile"] and not asking.pending
    asking.close()


def test_a_trial_waits_for_its_suggestion(tmp_path: Path, small_spec: MakeSpec) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        ask, let = controller.queue._search.ask, threading.Event()

        def slow(trial: int) -> Suggestion:
            let.wait()
            return ask(trial)

        controller.queue._search.ask = slow  # type: ignore[method-assign]
        controller.queue.patience = 0.01
        assert controller.next_task() is None and not controller.queue.over
        let.set()
        controller.queue.patience = None
        task = controller.next_task()
        assert task is not None and task.trial == 0
    plan = [json.loads(line) for line in (tmp_path / "plan.jsonl").read_text().splitlines()]
    assert [entry["suggestion"]["trial"] for entry in plan if "suggestion" in entry] == [0]
