"""What ends a trial: rules, limits of time and memory, silence."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from trials import MakeSpec, report, run_through, table

from service.control.controller import SweepController


def test_a_trial_that_lags_is_pruned(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {
        "objectives": "[{metric: accuracy, goal: max}]",
        "stopping__rule": "asha",
        "search__trials": 9,
        "learner__epochs": 5,
    }
    with closing(SweepController(small_spec(**changes), tmp_path)) as controller:
        for accuracy in (0.9, 0.8, 0.7, 0.2):
            task = controller.next_task()
            assert task is not None and task.may_stop
            goes_on = controller.take(report(task, 1, accuracy)).goes_on
        assert not goes_on
    row = table(tmp_path, "trials").iloc[-1]
    assert (row["trial"], row["state"], row["epochs"]) == (3, "pruned", 1)
    assert "asha" in row["reason"]


@pytest.mark.parametrize(
    ("changes", "fields", "state", "reason"),
    [
        (
            {"resources__time_limit": 2},
            {},
            "timed_out",
            "time limit: 3 s after epoch 2, 2 are allowed",
        ),
        (
            {"resources__memory_limit": 500},
            {"memory": 600_000_000},
            "failed",
            "memory limit: 600 MB after epoch 1, 500 are allowed",
        ),
        (
            {"stopping__silent_after": 2},
            {"silent": 1.0},
            "pruned",
            "silent: no neuron has fired in 2 epochs",
        ),
    ],
)
def test_a_trial_beyond_its_limits_is_ended(
    tmp_path: Path,
    small_spec: MakeSpec,
    changes: dict[str, Any],
    fields: dict[str, Any],
    state: str,
    reason: str,
) -> None:
    with closing(SweepController(small_spec(learner__epochs=4, **changes), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None and task.may_stop
        epoch = 1
        while controller.take(report(task, epoch, **fields)).goes_on:
            epoch += 1
        spared = controller.next_task()
        assert spared is not None and controller.take(report(spared, 1)).goes_on
    row = table(tmp_path, "trials").iloc[0]
    assert (row["state"], row["reason"]) == (state, reason)


def test_epochs_without_a_spike_count_in_a_row_and_over_a_restart(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    spec = small_spec(learner__epochs=9, stopping__silent_after=2)
    before = SweepController(spec, tmp_path)
    task = before.next_task()
    assert task is not None
    assert all(
        before.take(report(task, epoch, silent=silent)).goes_on
        for epoch, silent in ((1, 1.0), (2, 0.9), (3, 1.0))
    )
    with closing(SweepController(spec, tmp_path)) as controller:
        assert controller.next_task() == task
        assert not controller.take(report(task, 4, silent=1.0)).goes_on


def test_a_trial_that_does_not_report_is_timed_out(
    tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SweepController(small_spec(resources__time_limit=100), tmp_path)) as controller:
        task, quick = controller.next_task(), controller.next_task()
        assert task is not None and quick is not None
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
        assert controller.time_out() == []  # they wait for a worker
        monkeypatch.setattr(time, "monotonic", lambda: now)
        for one in (task, quick):
            controller.placed(one.trial)
        monkeypatch.setattr(time, "monotonic", lambda: now + 150)
        assert controller.time_out() == []
        controller.take(report(quick, 1))
        monkeypatch.setattr(time, "monotonic", lambda: now + 161)
        assert controller.time_out() == [0]
        assert not controller.take(report(task, 1)).goes_on  # too late
    trials = table(tmp_path, "trials")
    assert trials["reason"].tolist() == ["time limit: no report after 161 s, 100 are allowed"]
    assert trials["state"].tolist() == ["timed_out"]


def test_nobody_waits_for_a_report_of_a_trial_without_a_worker(
    tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SweepController(small_spec(resources__time_limit=100), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        controller.placed(task.trial)
        controller.displaced(task.trial)  # its worker has died, and no other has room
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 1e6)
        assert controller.time_out() == []
        controller.placed(task.trial)
        assert controller.time_out() == []
        monkeypatch.setattr(time, "monotonic", lambda: now + 2e6)
        assert controller.time_out() == [task.trial]


def test_a_trial_is_judged_by_the_time_it_has_taken_so_far(tmp_path: Path, small_spec: MakeSpec) -> None:
    """The objective `seconds` is the same quantity while pruning and in the end."""
    changes = {
        "objectives": "[{metric: seconds, goal: min}]",
        "stopping": "{rule: asha, reduction: 2, grace: 2}",
        "learner__epochs": 3,
        "search__trials": 4,
    }
    spec = small_spec(**changes)
    with closing(SweepController(spec, tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        run_through(controller, task)
    with closing(SweepController(spec, tmp_path)) as controller:  # the rule hears of trial 0 from the record
        slow = controller.next_task()
        assert slow is not None
        assert controller.take(report(slow, 1)).goes_on
        late = report(slow, 2)
        late.metrics["seconds"] = [1.6, 1.6]
        assert not controller.take(late).goes_on
    trials = table(tmp_path, "trials")
    assert trials["seconds"].tolist() == [4.5, pytest.approx(3.1)]
    assert trials["reason"][1] == "asha: seconds 3.1 at epoch 2 is not the best of 2 trials"


def test_a_rule_goes_on_beside_a_constraint_on_a_measure(tmp_path: Path, small_spec: MakeSpec) -> None:
    """The rule hears of the reports of earlier sessions, which have no measures."""
    changes = {
        "objectives": "[{metric: accuracy, goal: max}]",
        "constraints": "[{metric: modularity, min: 0.1}]",
        "stopping__rule": "asha",
    }
    spec = small_spec(**changes)
    for accuracy, goes_on in ((0.9, True), (0.5, False)):
        with closing(SweepController(spec, tmp_path)) as controller:
            tasks = [controller.next_task(), controller.next_task()]
            task = tasks[0] if goes_on else tasks[1]
            assert task is not None
            assert controller.take(report(task, 1, accuracy)).goes_on == goes_on
