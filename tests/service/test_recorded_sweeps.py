"""Sweeps that an earlier version has recorded: the finished one is read, the killed one is taken up."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from service.config.load import load
from service.control.controller import SweepController
from service.control.tasks import make_task
from service.record.plan import MORE_SEEDS
from service.record.planned import planned_trial
from service.results.status import status_of
from service.results.sweep import Sweep
from service.worker.trial import Trial

RECORDED = Path(__file__).resolve().parents[1] / "fixtures" / "recorded_sweeps"
"""See the README there."""
EXPECTED: dict[str, Any] = json.loads((RECORDED / "expected.json").read_text())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A copy of the recorded sweeps, which may be written to."""
    return Path(shutil.copytree(RECORDED, tmp_path / "runs"))


def rows(sweep: Sweep) -> list[dict[str, Any]]:
    """The rows of `trials` as plain data."""
    columns = EXPECTED["columns"]
    return [{name: row[name] for name in columns} for row in sweep.arrow("trials").to_pylist()]


def take_up(folder: Path) -> None:
    """Go on with a sweep, in this process."""
    with closing(SweepController(load(folder / "sweep.yaml"), folder)) as controller:
        while task := controller.next_task():
            trial, goes_on = Trial(task), True
            while goes_on:
                goes_on = controller.take(trial.advance()).goes_on
        assert controller.queue.over


@pytest.mark.parametrize("name", ["finished", "killed"])
def test_a_recorded_sweep_is_read(runs: Path, name: str) -> None:
    sweep = Sweep(runs / name)
    assert rows(sweep) == EXPECTED[name]["trials"]
    assert sweep.front()["trial"].tolist() == EXPECTED[name]["front"]
    assert {table: len(sweep.arrow(table)) for table in EXPECTED[name]["rows"]} == EXPECTED[name]["rows"]
    assert len(sweep.plan.begun) == EXPECTED[name]["begun"]


def test_networks_of_a_recorded_sweep_are_read(runs: Path) -> None:
    sweep = Sweep(runs / "finished")
    neurons = sweep.table("neurons")
    for row in EXPECTED["finished"]["trials"]:
        net = sweep.network(row["trial"])
        assert (net.config.embedding, net.replicates) == (row["embedding"], row["replicates"])
        last = neurons[(neurons["trial"] == row["trial"]) & (neurons["epoch"] == 4)]
        if net.has_positions:
            stored = [
                position for _, position in last.sort_values(["replicate", "neuron"])["position"].items()
            ]
            assert net.positions.detach().reshape(-1, net.config.dimensions).tolist() == stored


@pytest.mark.parametrize("number", [0, 1])
def test_a_recorded_trial_that_is_trained_again_gives_its_numbers(runs: Path, number: int) -> None:
    """Fields that have come since change nothing by default; the digits are those of another processor."""
    sweep = Sweep(runs / "finished")
    row = sweep.arrow("trials", f"trial == {number}").to_pylist()[0]
    trial = Trial(make_task(sweep.spec, runs / "again", planned_trial(row, sweep.spec.space)))
    recorded = sweep.table("epochs").query(f"trial == {number}").set_index(["epoch", "replicate"])
    for epoch in (1, 2):
        metrics = trial.advance().metrics
        for name in ("train_loss", "loss", "wiring_length", "rate"):
            expected = recorded.loc[epoch][name].tolist()
            assert metrics[name] == pytest.approx(expected, rel=1e-3), (epoch, name)


def test_a_killed_sweep_is_taken_up(runs: Path) -> None:
    folder = runs / "killed"
    before = Sweep(folder)
    known, plan = rows(before), [one.suggestion for one in before.plan.begun]
    sources, epochs = before.plan.sources, before.table("epochs")
    take_up(folder)
    after = Sweep(folder)
    trials = after.table("trials")
    assert rows(after)[: len(known)] == known
    assert [one.suggestion for one in after.plan.begun][: len(plan)] == plan
    assert after.plan.sources == sources and sources
    assert sorted(trials["trial"]) == list(range(14))
    leaders = trials[trials["move"] == MORE_SEEDS]
    assert len(leaders) == 2 and (leaders["replicates"] == 3).all()
    assert set(trials["state"]) <= {"complete", "pruned"}
    assert status_of(after).state == "finished"
    recorded = after.table("epochs")
    assert not recorded.duplicated(["trial", "replicate", "epoch"]).any()
    assert recorded["epoch"].min() == 1
    assert set(recorded.groupby(["trial", "epoch"]).size()) == {2, 3}  # leaders have three replicates
    last = recorded.groupby("trial")["epoch"].max().to_dict()
    assert last == trials.set_index("trial")["epochs"].to_dict()
    pd.testing.assert_frame_equal(recorded.head(len(epochs)), epochs)  # what was there, as it was
