"""More seeds for the leading trials, once all suggestions are finished."""

from contextlib import closing
from pathlib import Path
from typing import Any

from trials import MakeSpec, last_report, run_shortly, trials_of

from service import Sweep
from service.config.sweep import dump
from service.control.controller import SweepController
from service.record.leaders import leaders, shown_trials
from service.worker.task import Task

ONE = "[{metric: accuracy, goal: max}]"


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
            tasks = run_shortly(controller, accuracy)
            assert controller.queue.over
            rows = controller.record.rows("trials").to_pylist()
            shown = shown_trials(rows, spec.objectives, spec.constraints)
        assert [task.learner.replicates for task in tasks] == [2, 2, 2, 2, 4, 4, 4]
        assert tasks[4].seeds[:2] == tasks[1].seeds and len(set(tasks[4].seeds)) == 4
        assert tasks[4].learner.wiring_cost == tasks[1].learner.wiring_cost
        trials = trials_of(tmp_path)
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
            before.take(last_report(task, 0.1 * n))
        leader, other = before.next_task(), before.next_task()
        assert leader is not None and other is not None
        assert before.next_task() is None and not before.queue.over
        with closing(SweepController(spec, tmp_path)) as controller:
            again = controller.next_task()
            assert again == leader
            controller.take(last_report(again, 0.9))
            assert len(run_shortly(controller, lambda _: 0.9)) == 1

    def test_more_trials_afterwards_are_numbered_on(self, tmp_path: Path, small_spec: MakeSpec) -> None:
        with closing(SweepController(small_spec(**self.CHANGES), tmp_path)) as controller:
            run_shortly(controller, lambda task: 0.1 * task.trial)
        larger = small_spec(**{**self.CHANGES, "search__trials": 5})
        with closing(SweepController(larger, tmp_path)) as controller:
            more = run_shortly(controller, lambda task: 0.0)
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
