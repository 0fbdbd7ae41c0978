"""What becomes of trials, decided from reports alone: no Ray, no training."""

import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from trials import Heard, MakeSpec, report, run_through, table

from service.config.load import load
from service.config.sweep import dump
from service.control.controller import SweepController
from service.errors import SweepError


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


def test_listeners_hear_of_workers_that_have_nothing_more_to_do(tmp_path: Path, small_spec: MakeSpec) -> None:
    heard = Heard()
    with closing(SweepController(small_spec(), tmp_path, [heard])) as controller:
        first, second = (controller.next_task() for _ in range(2))
        assert first is not None and second is not None
        run_through(controller, first)
        third = controller.next_task()
        assert third is not None and heard.idle == []
        run_through(controller, second)
        run_through(controller, third)
    assert heard.idle == [(2, 1), (3, 0)]


def test_no_worker_is_idle_where_leaders_may_have_more_seeds(tmp_path: Path, small_spec: MakeSpec) -> None:
    heard = Heard()
    spec = small_spec(replicates__leaders=4)
    with closing(SweepController(spec, tmp_path, [heard])) as controller:
        while task := controller.next_task():
            run_through(controller, task)
    assert len(heard.finished) > 3 and heard.idle == []


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
