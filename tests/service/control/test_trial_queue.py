"""What is begun and when it ends: the plan, budgets, more seeds for leaders, earlier sweeps."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from trials import MakeSpec, last_report, run_shortly, trials_of

from search import Search, Suggestion
from search.background import BackgroundSearch
from service.control.controller import SweepController
from service.errors import SweepError
from service.record.plan import MORE_SEEDS, Plan, PlannedTrial, WarmStartTrial
from service.worker.task import Report, Task

ONE = "[{metric: accuracy, goal: max}]"


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
        before.take(last_report(task, 0.5))
    cut_short = before.next_task()
    assert cut_short is not None
    before.take(Report(4, 1, {"accuracy": [0.5, 0.5], "wiring_length": [1.0, 1.0], "seconds": [1.0, 1.0]}))
    (tmp_path / "plan.jsonl").unlink()
    with closing(SweepController(spec, tmp_path)) as controller:
        assert [task.trial for task in run_shortly(controller, lambda _: 0.5)] == [5, 6, 7]
        assert controller.queue.over
    trials = trials_of(tmp_path)
    assert trials["trial"].tolist() == list(range(8))
    assert trials["reason"][4] == "lost: plan.jsonl, which said what it was, has been removed"
    assert trials["wiring_cost"].nunique() == 7


def test_a_trial_whose_row_is_gone_is_run_again(tmp_path: Path, small_spec: MakeSpec) -> None:
    """As after the tables were restored from an older copy than the plan."""
    spec = small_spec(search__trials=3)
    with closing(SweepController(spec, tmp_path)) as controller:
        first = run_shortly(controller, lambda _: 0.5)
    for path in [*(tmp_path / "tables/trials").iterdir(), *(tmp_path / "tables/epochs").iterdir()]:
        path.unlink()
    with closing(SweepController(spec, tmp_path)) as controller:
        assert run_shortly(controller, lambda _: 0.5) == first


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
        steady = run_shortly(controller, accuracy)
    resumed: list[Task] = []
    while len(resumed) < 24:
        with closing(SweepController(spec, tmp_path / "resumed")) as controller:
            for _ in range(5):
                task = controller.next_task()
                if task is not None:
                    controller.take(last_report(task, accuracy(task)))
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
            assert len(run_shortly(controller, lambda _: 0.5)) == 3  # half an hour each
            assert controller.queue.over
            assert (
                controller.queue.exhausted_budget == "cpu_hours 1.5 of 1.5; raise `budget.cpu_hours` to go on"
            )
        with closing(
            SweepController(small_spec(search__trials=9, budget__cpu_hours=2.5), tmp_path)
        ) as controller:
            assert [task.trial for task in run_shortly(controller, lambda _: 0.5)] == [3, 4]

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
                        controller.take(last_report(task, 0.5))
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
            controller.take(last_report(task, 0.5))
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
            assert len(run_shortly(controller, lambda task: values[task.trial])) == 6
            assert str(controller.queue.exhausted_budget).startswith(
                "the last 3 trials have added 0.00% to the hyp"
            )
        with closing(SweepController(spec, tmp_path)) as controller:
            assert controller.next_task() is None
        wider = small_spec(**changes, budget__plateau="{trials: 4, gain: 0.01}")
        with closing(SweepController(wider, tmp_path)) as controller:
            assert len(run_shortly(controller, lambda _: 0.5)) == 1


def test_a_grid_has_no_more_trials_than_combinations(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {"space": "{learner.dimensions: {choice: [1, 2]}}", "search__sampler": "grid"}
    with closing(SweepController(small_spec(**changes), tmp_path)) as controller:
        assert controller.spec.planned == 2
        assert len(run_shortly(controller, lambda _: 0.5)) == 2
        assert controller.queue.over
    with closing(SweepController(small_spec(search__trials=5), tmp_path / "random")) as controller:
        assert controller.spec.planned == 5


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
