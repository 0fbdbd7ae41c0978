"""The arms of benchmarks/evolution.py can be compared: equal budgets and founders, nothing done twice."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import evolution, evolution_tables
from benchmarks.evolution import ARMS, DEFAULT, TASKS, TaskSetting, fixed, run
from service import Sweep
from service.config.load import load

TINY = TaskSetting(
    learner={
        "hidden": 4,
        "epochs": 4,
        "duration": 20.0,
        "dt": 5.0,
        "delay_scale": 30.0,
        "batch_size": 600,
        "schedule": "constant",
    },
    space={
        "learner.learning_rate": {"log": [0.01, 1.0]},
        "learner.dimensions": {"int": [1, 3]},
    },
    seeds=1,
    ready=1,
    population=4,
)
COMPARED = ("evolution", "random", "asha", "higher", "fixed")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of some arms on the digits, which take no time."""
    out = tmp_path_factory.mktemp("evolution")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(evolution.TASKS, "digits", TINY)
        patch.setattr(evolution, "CHOICES", 2)
        for arm in COMPARED:
            run("digits", arm, 0, out)
            before = (out / f"digits-{arm}-0" / "plan.jsonl").stat()
            run("digits", arm, 0, out)
            assert (out / f"digits-{arm}-0" / "plan.jsonl").stat() == before  # it is not done again
    return out


@pytest.mark.parametrize("arm", COMPARED)
def test_every_arm_trains_for_the_budget_to_the_epoch(runs: Path, arm: str) -> None:
    epochs = Sweep(runs / f"digits-{arm}-0").table("epochs")
    assert epochs["train_loss"].notna().sum() == TINY.budget == 16


def test_founders_are_the_same_networks(runs: Path) -> None:
    """Those of the control have one dimension more, and all else alike."""
    first: dict[str, pd.DataFrame] = {}
    for arm in ("evolution", "random", "higher"):
        trials = Sweep(runs / f"digits-{arm}-0").table("trials").query("trial < 4").set_index("trial")
        first[arm] = trials.sort_index()[["learning_rate", "dimensions"]]
    pd.testing.assert_frame_equal(first["evolution"], first["random"])
    pd.testing.assert_frame_equal(first["evolution"] + [0, 1], first["higher"], check_dtype=False)
    losses = [
        Sweep(runs / f"digits-{arm}-0").table("epochs").query("trial < 4 and epoch == 1")["loss"].tolist()
        for arm in ("evolution", "random")
    ]
    assert losses[0] == losses[1]


def test_a_run_that_was_broken_off_is_done_from_its_start(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(evolution.TASKS, "digits", TINY)
    home = runs / "digits-random-0"
    before = Sweep(home).table("epochs")["loss"].tolist()
    (home / evolution.COST).unlink()
    run("digits", "random", 0, runs)
    assert Sweep(home).table("epochs")["loss"].tolist() == before


@pytest.mark.parametrize(("name", "arm"), [(name, arm) for name in TASKS for arm in DEFAULT[name]])
def test_every_arm_is_a_sweep_without_faults(name: str, arm: str) -> None:
    task = TASKS[name]
    values = dict.fromkeys(task.space, 1)
    sweep = fixed(task, 0, values) if arm == "fixed" else ARMS[arm](task, 0)
    spec = load({"name": "one", "data": {"name": name}, **sweep})
    others = {path: value for path, value in spec.fixed.items() if path not in task.space}
    assert others["learner.delay_scale"] == task.learner["delay_scale"]


def test_what_came_of_a_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the tables, by hand."""
    monkeypatch.setitem(evolution.TASKS, "digits", TINY)
    monkeypatch.setitem(evolution_tables.GUESSING, "digits", 1.0)
    monkeypatch.setitem(evolution_tables.WIRING, "digits", 1e3)
    home = runs / "digits-evolution-0"
    found = evolution_tables.read_run(home, "digits", "evolution", 0)
    sweep = Sweep(home)
    losses = sweep.table("epochs").query("train_loss.notna()")["loss"].tolist()
    assert found.course.tolist() == [min(losses[: n + 1]) for n in range(16)]
    done = sweep.table("trials").query("state == 'complete'").sort_values("loss")
    assert found.outcome["test"] == 100 * done["test_accuracy"].iloc[0]
    boxes = [
        (one["accuracy"], 1 - one["wiring_length"] * 30 / 1e3) for one in done.to_dict("records")
    ]  # each dominates a box up to the reference; their union by counting points of a grid
    grid = (np.arange(400) + 0.5) / 400
    covered = np.zeros((400, 400), dtype=bool)
    for width, height in boxes:
        covered |= (grid[:, None] < width) & (grid[None, :] < height)
    assert found.outcome["volume"] == pytest.approx(100 * covered.mean(), abs=0.6)
