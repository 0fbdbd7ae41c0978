"""What becomes of trials, decided from reports alone: no Ray, no training."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import SweepError
from service.record.rows import FinishedTrial, Metrics
from service.storage.layout import checkpoint_file
from service.worker.task import Origin, Report, Task

MakeSpec = Callable[..., SweepSpec]


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.epochs: list[tuple[int, int, Metrics]] = []
        self.finished: list[Mapping[str, Any]] = []

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        self.started.append(trial)

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        self.epochs.append((trial, epoch, metrics))

    def trial_finished(self, finished: FinishedTrial) -> None:
        self.finished.append(finished.row)


def report(task: Task, epoch: int, accuracy: float = 0.5, silent: float = 0.0, **fields: Any) -> Report:
    n = task.learner.replicates
    metrics = {
        "accuracy": [accuracy - 0.1, *[accuracy] * (n - 2), accuracy + 0.1],
        "wiring_length": [10.0, *[10.0 + task.trial] * (n - 1)],
        "silent": [silent] * n,
        "seconds": [1.5] * n,
    }
    values: dict[str, Any] = {
        "done": epoch == task.learner.epochs,
        "origin": Origin("here", "Z80", "d1", 7, 99),
        "cpu_seconds": 0.5,
    } | fields
    return Report(task.trial, epoch, metrics, **values)


def run_through(controller: SweepController, task: Task) -> None:
    for epoch in range(1, task.learner.epochs + 1):
        controller.take(report(task, epoch))


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "tables" / name)


def test_tasks_have_the_snapshots_that_were_asked_for(tmp_path: Path, small_spec: MakeSpec) -> None:
    spec = small_spec(record="{snapshots: [2, 0, 2]}")
    (tmp_path / "resolved.yaml").write_text(dump(spec))
    assert load(tmp_path / "resolved.yaml") == spec
    with closing(SweepController(spec, tmp_path)) as controller:
        task = controller.next_task()
    assert task is not None and task.snapshots == [0, 2]


def test_a_trial_is_recorded_with_all_its_epochs(tmp_path: Path, small_spec: MakeSpec) -> None:
    heard = Heard()
    with closing(SweepController(small_spec(), tmp_path, [heard])) as controller:
        task = controller.next_task()
        assert task is not None
        assert controller.take(report(task, 1, 0.3)).goes_on
        assert not controller.take(report(task, 2, 0.6)).goes_on
        assert controller.finished == 1
    row = table(tmp_path, "trials").iloc[0]
    assert (row["state"], row["epochs"], row["replicates"]) == ("complete", 2, 2)
    assert row["accuracy"] == pytest.approx(0.6)
    assert row["accuracy_sem"] == pytest.approx(0.1)  # the deviation of 0.5 and 0.7 is sqrt(0.02)
    assert row["wiring_cost"] == task.learner.wiring_cost
    assert row["dimensions"] == task.learner.dimensions
    assert (row["seconds"], row["cpu_seconds"]) == (3.0, 1.0)
    assert (row["node"], row["cpu"], row["data_digest"]) == ("here", "Z80", "d1")
    assert (row["dropped_spikes"], row["parameters"], row["environment"]) == (7, 99, 0)
    epochs = table(tmp_path, "epochs")
    assert epochs["epoch"].tolist() == [1, 1, 2, 2] and epochs["replicate"].tolist() == [0, 1, 0, 1]
    assert epochs["accuracy"].tolist() == pytest.approx([0.2, 0.4, 0.5, 0.7])
    assert heard.started == [0] and [e[:2] for e in heard.epochs] == [(0, 1), (0, 2)]
    assert [one["trial"] for one in heard.finished] == [0]


def test_asks_for_as_many_trials_as_wanted(tmp_path: Path, small_spec: MakeSpec) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        tasks = [controller.next_task() for _ in range(4)]
    assert [task and task.trial for task in tasks] == [0, 1, 2, None]
    seeds = [seed for task in tasks if task for seed in task.seeds]
    assert len(set(seeds)) == 6


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (
            {"failure": "`w_rec` of replicate 1 is not finite at epoch 1"},
            "`w_rec` of replicate 1 is not finite",
        ),
        ({"accuracy": math.nan}, "`accuracy` is nan at epoch 1"),
    ],
)
def test_a_failed_trial_has_its_reason(
    tmp_path: Path, small_spec: MakeSpec, failing: dict[str, Any], reason: str
) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        assert not controller.take(report(task, 1, **failing)).goes_on
        other = controller.next_task()
        assert other is not None
        run_through(controller, other)
    trials = table(tmp_path, "trials")
    assert trials["state"].tolist() == ["failed", "complete"]
    assert trials["reason"][0].startswith(reason)


def test_a_lost_worker_is_a_failure(tmp_path: Path, small_spec: MakeSpec) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        controller.take(report(task, 1))
        controller.lost(task.trial, "lost: its node died")
        controller.lost(task.trial, "told twice")
    row = table(tmp_path, "trials").iloc[0]
    assert (row["state"], row["reason"], row["epochs"]) == ("failed", "lost: its node died", 1)


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


def test_epochs_that_are_recorded_already_are_passed_over(tmp_path: Path, small_spec: MakeSpec) -> None:
    """As after a worker was lost: the trial repeats what came after its checkpoint."""
    heard = Heard()
    with closing(SweepController(small_spec(learner__epochs=3), tmp_path, [heard])) as controller:
        task = controller.next_task()
        assert task is not None
        for epoch in (1, 2, 1, 2, 3):
            controller.take(report(task, epoch))
        assert not controller.take(report(task, 3)).goes_on
    assert table(tmp_path, "epochs")["epoch"].tolist() == [1, 1, 2, 2, 3, 3]
    assert len(table(tmp_path, "trials")) == 1
    assert [e[:2] for e in heard.epochs] == [(0, 1), (0, 2), (0, 3)]


def test_resume_keeps_finished_trials_and_goes_on_with_the_others(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    spec = small_spec(search__trials=4)
    # Dropped without close, as by a kill.
    before = SweepController(spec, tmp_path)
    tasks = [before.next_task() for _ in range(3)]
    first, second, _ = tasks
    assert first and second
    run_through(before, first)
    before.take(report(second, 1))
    with closing(SweepController(spec, tmp_path)) as controller:
        again = [controller.next_task() for _ in range(4)]
        assert [task and task.trial for task in again] == [1, 2, 3, None]
        assert again[:2] == tasks[1:]  # the same configuration and seeds
        assert again[2]
        controller.take(report(second, 1))
        controller.take(report(second, 2))
        for task in again[1:3]:
            assert task
            run_through(controller, task)
    assert table(tmp_path, "trials")["trial"].tolist() == [0, 1, 2, 3]
    epochs = table(tmp_path, "epochs")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any() and len(epochs) == 16
    assert table(tmp_path, "trials")["seconds"].tolist() == [3.0] * 4


def test_the_search_learns_what_a_kill_kept_from_it(
    tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the record and the search: the record decides."""
    before = SweepController(small_spec(), tmp_path)
    task = before.next_task()
    assert task is not None

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(before.queue, "finished", killed)
    with pytest.raises(KeyboardInterrupt):
        run_through(before, task)
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        following = controller.next_task()
    assert following is not None and following.trial == 1
    assert table(tmp_path, "trials")["trial"].tolist() == [0]


def test_a_duplicate_takes_over_what_is_known(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {"space": "{learner.dimensions: {choice: [1, 2]}}", "search__trials": 3}
    heard = Heard()
    with closing(SweepController(small_spec(**changes), tmp_path, [heard])) as controller:
        while task := controller.next_task():
            run_through(controller, task)
    trials = table(tmp_path, "trials")
    assert trials["reason"].isna().tolist() == [True, True, False]
    original = int(trials["reason"][2].removeprefix("duplicate of trial "))
    assert trials["accuracy"][2] == trials["accuracy"][original]
    assert trials["dimensions"][2] == trials["dimensions"][original]
    assert (trials["state"][2], trials["epochs"][2], trials["seconds"][2]) == ("complete", 2, 0.0)
    assert [row["trial"] for row in heard.finished] == [0, 1, 2]


def test_a_duplicate_of_what_was_pruned_is_no_result(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {
        "space": "{learner.dimensions: {choice: [1]}}",
        "search__trials": 2,
        "stopping__silent_after": 1,
    }
    with closing(SweepController(small_spec(**changes), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        assert not controller.take(report(task, 1, silent=1.0)).goes_on
        assert controller.next_task() is None
    trials = table(tmp_path, "trials")
    assert trials["state"].tolist() == ["pruned", "pruned"]
    assert trials["reason"][1] == "duplicate of trial 0" and trials["epochs"][1] == 1


def test_a_listener_can_be_told_what_it_missed(tmp_path: Path, small_spec: MakeSpec) -> None:
    heard, late = Heard(), Heard()
    with closing(SweepController(small_spec(), tmp_path, [heard])) as controller:
        while task := controller.next_task():
            run_through(controller, task)
        controller.retell([1, 2], late)
    assert late.started == [1, 2]
    told = [e for e in heard.epochs if e[0] in (1, 2)]
    assert [e[:2] for e in late.epochs] == [e[:2] for e in told]
    for found, expected in zip(late.epochs, told, strict=True):
        assert found[2] == expected[2]
    assert [row["accuracy"] for row in late.finished] == [row["accuracy"] for row in heard.finished[1:]]


def test_a_suggestion_that_cannot_be_run_fails_with_its_reason(tmp_path: Path, small_spec: MakeSpec) -> None:
    """Between the ends of its domain `tau_mem` meets `tau_syn`, which no check of the ends can see."""
    changes = {"space": "{learner.tau_mem: {int: [4, 6]}}", "search__trials": 6}
    spec = small_spec(**changes)
    with closing(SweepController(spec, tmp_path)) as controller:
        while task := controller.next_task():
            run_through(controller, task)
    trials = table(tmp_path, "trials")
    failed = trials[trials["tau_mem"] == 5.0]
    assert len(failed) and set(failed["state"]) == {"failed"}
    assert failed["reason"].str.contains("`tau_mem` and `tau_syn`").all()
    assert set(trials[trials["tau_mem"] != 5.0]["state"]) == {"complete"}
    late = Heard()
    with closing(SweepController(spec, tmp_path)) as controller:
        controller.retell(range(6), late)
    assert late.started == [0, 1, 2, 3, 4, 5]


def test_a_file_that_cannot_be_written_ends_the_sweep_and_no_trial(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        with pytest.raises(SweepError, match="disk full"):
            controller.take(report(task, 1, halt="disk full"))
    assert len(table(tmp_path, "trials")) == 0


def test_the_checkpoint_of_a_finished_trial_goes(tmp_path: Path, small_spec: MakeSpec) -> None:
    with closing(SweepController(small_spec(), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        path = checkpoint_file(tmp_path, task.trial)
        path.parent.mkdir()
        path.write_bytes(b"training")
        run_through(controller, task)
    assert not path.exists()


def test_what_a_kill_has_left_half_written_goes(tmp_path: Path, small_spec: MakeSpec) -> None:
    left = tmp_path / "checkpoints" / ".000000.safetensors.a.host.1234"
    kept = [tmp_path / ".lock", tmp_path / ".driver.json", tmp_path / "checkpoints" / "000001.safetensors"]
    left.parent.mkdir()
    for path in [left, *kept]:
        path.write_bytes(b"")
    with closing(SweepController(small_spec(), tmp_path)):
        assert not left.exists()
        left.write_bytes(b"")  # by a worker that was still running
    assert not left.exists() and all(path.exists() for path in kept)


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


def test_searched_fields_do_not_share_columns_with_the_tables_own(
    tmp_path: Path, small_spec: MakeSpec
) -> None:
    changes = {"space": "{learner.epochs: {choice: [2, 3]}}", "learner": "{hidden: 6}", "search__trials": 1}
    with closing(SweepController(small_spec(**changes), tmp_path)) as controller:
        task = controller.next_task()
        assert task is not None
        controller.lost(task.trial, "lost")
    row = table(tmp_path, "trials").iloc[0]
    assert (row["learner_epochs"], row["epochs"]) == (task.learner.epochs, 0)


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


def test_a_topology_measure_may_decide(tmp_path: Path, small_spec: MakeSpec) -> None:
    changes = {
        "objectives": "[{metric: accuracy, goal: max}, {metric: modularity, goal: max}]",
        "constraints": "[{metric: wiring_efficiency, min: 0.1}]",
        "search__trials": 3,
    }
    spec = small_spec(**changes)
    assert spec.measures == ["modularity", "wiring_efficiency"]
    with closing(SweepController(spec, tmp_path)) as controller:
        for modularity in (0.25, math.nan, 0.5):
            task = controller.next_task()
            assert task is not None
            assert controller.take(report(task, 1)).goes_on
            measures = {"modularity": [0.75, modularity], "wiring_efficiency": [0.5, 0.5]}
            assert not controller.take(report(task, 2, measures=measures)).goes_on
        told = controller.queue._search.study.get_trials()
    trials = table(tmp_path, "trials")
    assert trials["modularity"].tolist() == [0.5, pytest.approx(math.nan, nan_ok=True), 0.625]
    assert trials["modularity_sem"][0] == 0.25
    assert trials["state"].tolist() == ["complete", "failed", "complete"]
    assert trials["reason"][1] == "`modularity` is nan at epoch 2"
    assert told[0].values[1] == 0.5 and list(told[0].constraints.values()) == [-0.4]
