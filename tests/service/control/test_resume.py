"""A sweep that is taken up again: what is kept, what goes on, what is told again, what is tidied."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from trials import Heard, MakeSpec, report, run_through, table

from service.control.controller import SweepController
from service.storage.layout import checkpoint_file


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
