"""Which trained networks are kept."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.config.sweep import SweepSpec
from service.control.controller import SweepController
from service.storage.atomic import write_whole
from service.storage.layout import LAST_STILL, network_file, pictures_folder
from service.storage.paths import StoragePath, list_folder
from service.worker.task import Report, Task

MakeSpec = Callable[..., SweepSpec]
ACCURACY = [0.9, 0.2, 0.5, 0.8, 0.1, 0.7]


def end(controller: SweepController, task: Task) -> None:
    """The trial's networks are written, then it reports for the last time."""
    write_whole(network_file(controller.folder, task.trial), b"networks")
    n = task.learner.replicates
    metrics = {"accuracy": [ACCURACY[task.trial]] * n, "wiring_length": [1.0] * n, "seconds": [0.0] * n}
    controller.take(Report(task.trial, task.learner.epochs, metrics, done=True))


def draw(folder: StoragePath, *trials: int) -> None:
    for trial in trials:
        write_whole(pictures_folder(folder, trial) / LAST_STILL, b"a picture")


def kept(folder: StoragePath) -> list[int]:
    return sorted(int(path.stem) for path in list_folder(folder / "networks"))


def begin(controller: SweepController) -> Task:
    task = controller.next_task()
    assert task is not None
    return task


@pytest.fixture
def spec(small_spec: MakeSpec) -> SweepSpec:
    return small_spec(search__trials=6, record="{networks: 2}")


def test_those_of_leading_trials_stay(home: Any, spec: SweepSpec) -> None:
    with closing(SweepController(spec, home)) as controller:
        for _ in range(5):
            task = begin(controller)
            draw(home, task.trial)
            end(controller, task)
            assert len(kept(home)) <= 2
        assert kept(home) == [0, 3]
        running = begin(controller)
        write_whole(network_file(home, running.trial), b"networks of a trial that runs")
    with closing(
        SweepController(spec, home)
    ):  # when it is taken up, it is not finished, and no one's to remove
        assert kept(home) == [0, 3, 5]


def test_files_of_others_are_left_alone(tmp_path: Path, spec: SweepSpec) -> None:
    write_whole(tmp_path / "networks" / "notes.txt", b"not a network")
    with closing(SweepController(spec, tmp_path)) as controller:
        for _ in range(4):
            task = begin(controller)
            draw(tmp_path, task.trial)
            end(controller, task)
    names = sorted(one.name for one in list_folder(tmp_path / "networks"))
    assert names[-1] == "notes.txt" and len(names) == 3


def test_nothing_is_removed_that_is_still_to_be_drawn(tmp_path: Path, spec: SweepSpec) -> None:
    with closing(SweepController(spec, tmp_path)) as controller:
        for _ in range(4):
            end(controller, begin(controller))
        assert kept(tmp_path) == [0, 1, 2, 3]
        draw(tmp_path, 2, 3)
        end(controller, begin(controller))
        assert kept(tmp_path) == [0, 1, 3, 4]
        draw(tmp_path, 0, 1, 4)
    assert kept(tmp_path) == [0, 3]


def test_few_are_left_alone(tmp_path: Path, small_spec: MakeSpec) -> None:
    spec = small_spec(search__trials=6, record="{networks: 4}")
    with closing(SweepController(spec, tmp_path)) as controller:
        for _ in range(6):
            task = begin(controller)
            draw(tmp_path, task.trial)
            end(controller, task)
            assert len(kept(tmp_path)) <= 5  # a quarter more may gather
    assert kept(tmp_path) == [0, 2, 3, 5]
