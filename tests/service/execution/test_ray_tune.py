"""What is said of workers that are gone for good, and what the driver keeps of Tune's errors and trials."""

import gc
import pickle
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.tune.experiment import Trial as TuneTrial

from service.config.sweep import SweepSpec
from service.control.controller import SweepController, Verdict
from service.errors import SweepError
from service.execution.ray_tune import (
    REPORT,
    _Bridge,
    _Scheduler,
    begin_training,
    loss_in_words,
    run_on_ray,
)
from service.worker.task import Report, Task


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OutOfMemoryError("low"), "out of memory: the node's memory ran low"),
        (RayActorError(), "lost: its worker or node died, and no retry is left"),
        (RuntimeError("first\nsecond"), "lost: first"),
        (None, "lost: its worker or node died"),
    ],
)
def test_a_loss_is_told_in_a_line(error: BaseException | None, words: str) -> None:
    said = loss_in_words(error)
    assert said.startswith(words) and "\n" not in said


def test_what_the_controller_raises_is_kept_and_no_part_of_tunes_state() -> None:
    def full(controller: SweepController) -> None:
        raise SweepError("disk full")

    line = _Bridge(cast(Any, lambda: "cannot be pickled"), cast(Any, lambda: "nor this"))
    with pytest.raises(SweepError):
        line.call(full)
    assert str(line.fault) == "disk full"
    assert vars(pickle.loads(pickle.dumps(line))) == {}


def test_no_trial_is_begun_beyond_the_cores_that_are_there(small_spec: Callable[..., SweepSpec]) -> None:
    controller = SimpleNamespace(spec=small_spec(resources="{cpus: 2}"))
    watch = SimpleNamespace(cores=[3, 4])
    line = _Bridge(cast(Any, controller), cast(Any, watch))
    assert line.places() == 3
    watch.cores = [3, 1, 4, 2]  # two nodes have joined
    assert line.places() == 4
    watch.cores = [1, 1]  # and all that had room are lost
    assert line.places() == 0


def test_only_losses_in_a_row_use_up_the_retries(small_spec: Callable[..., SweepSpec]) -> None:
    controller = SimpleNamespace(spec=small_spec(resources="{retries: 2}"))
    controller.take = lambda report: Verdict(goes_on=True, advanced=report.epoch > 4)
    scheduler = _Scheduler(_Bridge(cast(Any, controller), cast(Any, None)))
    trial = SimpleNamespace(num_failures=2, max_failures=2)
    scheduler.on_trial_result(
        None, cast(Any, trial), {REPORT: Report(0, 4, {})}
    )  # it goes through it once more
    assert trial.max_failures == 2
    scheduler.on_trial_result(None, cast(Any, trial), {REPORT: Report(0, 5, {})})
    assert trial.max_failures == 4


class Stub:
    """A trial that trains nothing; the first one never ends its second epoch."""

    def __init__(self, task: Task) -> None:
        self.task, self.epoch = task, 0

    def advance(self) -> Report:
        self.epoch += 1
        if self.task.trial == 0 and self.epoch == 2:
            time.sleep(1e6)
        metrics = {"accuracy": [0.5, 0.5], "wiring_length": [1.0, 1.0], "seconds": [0.1, 0.1]}
        return Report(self.task.trial, self.epoch, metrics, done=self.epoch == 2)


def test_a_node_that_does_not_see_the_sweep_says_so(
    tmp_path: Path, small_spec: Callable[..., SweepSpec]
) -> None:
    with closing(SweepController(small_spec(), tmp_path / "elsewhere")) as controller:
        task = controller.next_task()
    assert task is not None
    report = begin_training(task).advance()
    assert report.halt is not None and "elsewhere is not there; the folder of `--out`" in report.halt


def test_a_trial_that_hangs_is_ended_and_the_others_go_on(
    tmp_path: Path, small_spec: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have all the time they need: the limit passes once they are done, whenever that is."""
    monkeypatch.setattr("service.control.stopping.SILENT_SECONDS", 0.0)
    spec = small_spec(resources__time_limit=1e6, search__trials=4)
    with closing(SweepController(spec, tmp_path)) as controller:
        clock = SimpleNamespace(
            monotonic=lambda: time.monotonic() + 2e6 * (controller.record.rows("trials").num_rows == 3)
        )
        monkeypatch.setattr("service.control.stopping.time", clock)
        run_on_ray(controller, Stub)
        assert controller.queue.over
        rows = {row["trial"]: row for row in controller.record.rows("trials").to_pylist()}
    assert sorted(rows) == [0, 1, 2, 3]
    assert rows[0]["state"] == "timed_out", rows[0]["reason"]
    assert rows[0]["epochs"] == 1
    assert rows[0]["reason"].startswith("time limit: no report after 2")
    assert rows[3]["state"] == "complete"


class Quick:
    """A trial of one epoch; every fourth one's worker fails."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def advance(self) -> Report:
        if self.task.trial % 4 == 0:
            raise RuntimeError("planted")
        return Report(self.task.trial, 1, {"accuracy": [0.5, 0.5], "wiring_length": [1.0, 1.0]}, done=True)


def test_the_driver_does_not_keep_what_tune_knows_of_trials_that_ended(
    tmp_path: Path, small_spec: Callable[..., SweepSpec]
) -> None:
    ended: list[int] = []

    class Counting(SweepController):
        def next_task(self) -> Task | None:
            gc.collect()
            ended.append(sum(type(one) is TuneTrial and one.is_finished() for one in gc.get_objects()))
            return super().next_task()

    spec = small_spec(search__trials=8, resources__retries=0)
    with closing(Counting(spec, tmp_path)) as controller:
        run_on_ray(controller, Quick)
        states = [row["state"] for row in controller.record.rows("trials").to_pylist()]
    assert states.count("complete") == 6 and states.count("failed") == 2
    assert 1 <= max(ended) <= 4  # of two at once; else it would be 7
