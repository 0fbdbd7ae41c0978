"""A stopping rule that is taken up again has heard what one that never stopped has heard."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import MakeSpec, report, table

from search import RULES
from search.stopping import FOR_ONE
from service.config.sweep import SweepSpec
from service.control.controller import SweepController
from service.worker.task import Report, Task

RUNNING = 3
"""Trials at once."""


def spec_for(rule: str, small_spec: MakeSpec) -> SweepSpec:
    """A sweep with trials of all lengths, leaders, and limits of silence and of time."""
    changes: dict[str, Any] = {
        "learner": "{hidden: 6, duration: 20.0, dt: 2.0, replicates: 2}",
        "space": "{learner.wiring_cost: {log: [1e-4, 1e-1]}, learner.epochs: {int: [4, 16]}}",
        "search": "{sampler: random, trials: 24, seed: 3}",
        "replicates": "{leaders: 3, trials: 3}",
        "stopping": f"{{rule: {rule}, grace: 4, reduction: 2, silent_after: 2}}",
        "resources__time_limit": 30,
    }
    if rule in FOR_ONE:
        changes["objectives"] = "[{metric: accuracy, goal: max}]"
    return small_spec(**changes)


def said(task: Task, epoch: int) -> Report:
    """What a trial says after an epoch: the same whenever it is asked; some are silent, slow, or fail."""
    draw = np.random.default_rng([task.trial, epoch])
    kind = task.trial % 8
    fields: dict[str, Any] = {}
    if kind == 5 and epoch == 3:
        fields["failure"] = "`w_rec` of replicate 0 is not finite"
    level = np.random.default_rng(task.trial).uniform()
    accuracy = float("nan") if kind == 6 and epoch == 3 else float(0.7 * level + 0.3 * draw.uniform())
    return report(
        task,
        epoch,
        accuracy,
        spread=0.03,
        silent=1.0 if kind == 2 and epoch >= 2 else 0.0,
        seconds=12.0 if kind == 4 else 1.0,
        **fields,
    )


def run(folder: Path, spec: SweepSpec, interruptions: float, seed: int) -> list[dict[str, Any]]:
    """Run a sweep, several trials at once in turn; before each report it is taken up again by that chance."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    with ExitStack() as stack:
        controller = stack.enter_context(closing(SweepController(spec, folder)))
        running: dict[int, tuple[Task, int]] = {}
        while True:
            while len(running) < RUNNING and (task := controller.next_task()) is not None:
                running[task.trial] = (task, (controller.record.last_epoch(task.trial) or 0) + 1)
            if not running:
                break
            if draw.uniform() < interruptions:
                stack.close()
                controller = stack.enter_context(closing(SweepController(spec, folder)))
                # Those that were cut short come first, and go on after the last epoch that is recorded.
                again = {}
                for _ in running:
                    task = controller.next_task()
                    assert task is not None
                    again[task.trial] = (task, (controller.record.last_epoch(task.trial) or 0) + 1)
                assert again == running
            trial = min(running, key=lambda number: (running[number][1], number))
            task, epoch = running.pop(trial)
            if controller.take(said(task, epoch)).goes_on:
                running[trial] = (task, epoch + 1)
        assert controller.queue.over
    columns = ["trial", "state", "reason", "parent", "epochs", "accuracy"]
    return [dict(row) for _, row in table(folder, "trials")[columns].iterrows()]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_taken_up_again_decides_as_one_that_never_stopped(
    rule: str, tmp_path: Path, small_spec: MakeSpec
) -> None:
    spec = spec_for(rule, small_spec)
    whole = run(tmp_path / "whole", spec, 0.0, 0)
    states = {row["state"] for row in whole}
    assert states >= {"complete", "failed", "timed_out"} and len(whole) > 24
    assert any("silent" in str(row["reason"]) for row in whole)
    if rule != "none":
        assert any(str(row["reason"]).startswith(rule) for row in whole)
    for seed in range(2):
        interrupted = run(tmp_path / f"interrupted-{seed}", spec, 0.3, seed)
        assert repr(interrupted) == repr(whole)  # also where a value is NaN


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "none"])
def test_a_rule_hears_the_same_of_reports_and_of_the_record(
    rule: str, tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, int, tuple[tuple[str, float], ...]]] = []

    class Listening:
        """A rule that lets every trial go on, and keeps what it hears."""

        def report(self, trial: int, epoch: int, metrics: dict[str, float]) -> None:
            heard.append((trial, epoch, tuple(sorted(metrics.items()))))

    monkeypatch.setattr("service.control.stopping.make_rule", lambda *arguments, **options: Listening())
    spec = spec_for(rule, small_spec)
    trials = run(tmp_path / "whole", spec, 0.0, 0)
    live = heard.copy()
    heard.clear()
    with closing(SweepController(spec, tmp_path / "whole")):
        assert heard == live and live
    leaders = {row["trial"] for row in trials if row["parent"] == row["parent"] and row["parent"] is not None}
    assert len(leaders) >= 3 and not leaders & {trial for trial, _, _ in live}
