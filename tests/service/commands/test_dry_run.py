"""`polychrony run --dry-run`: what it says is so, and nothing is written."""

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from model import SpikeDataset
from model.datasets import Splits
from service.cli import app
from service.commands import estimate
from service.commands.dry_run import dry_run
from service.commands.estimate import TrialCost, measure_trial, sweep_cost
from service.config.sweep import SweepSpec, data_for, dump, learner_for
from service.control.controller import SweepController
from service.errors import SweepError, UserError
from service.report.leader_pages import ending_seconds
from service.worker.task import Report, Task
from service.worker.trial import Trial

MakeSpec = Callable[..., SweepSpec]


@pytest.fixture(autouse=True)
def few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "BATCHES_SECONDS", 0.02)


def said(file: Path, *overrides: str) -> str:
    """What a dry run says of a sweep in the folder `runs` beside its file, on one line."""
    console = Console(file=io.StringIO(), width=200)
    dry_run(file, file.parent / "runs", overrides, console)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_some(spec: SweepSpec, folder: Path, count: int) -> None:
    """Run `count` trials of a sweep, each at a cost of an hour of processor time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.yaml").write_text(dump(spec))
    with closing(SweepController(spec, folder)) as controller:
        for _ in range(count):
            task = controller.next_task()
            assert task is not None
            n = task.learner.replicates
            values = {"accuracy": [0.5] * n, "wiring_length": [1.0] * n, "seconds": [3.0] * n}
            controller.take(Report(task.trial, 2, values, done=True, cpu_seconds=3600.0))


def task_of(spec: SweepSpec, folder: Path) -> Task:
    values = {"learner.wiring_cost": 1e-3, "learner.dimensions": 2}
    return Task(0, learner_for(spec, values), data_for(spec, values), 7, folder, synapses=True)


class TestNew:
    def test_it_fits_80_columns_and_no_name_is_cut(self, sweep_file: Path) -> None:
        console = Console(file=io.StringIO(), width=80)
        dry_run(sweep_file, sweep_file.parent / "runs", [], console)
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        paragraphs = [line for line in lines if not line.startswith("Measured")]
        assert max(map(len, paragraphs)) <= 80 and "…" not in console.file.getvalue()
        heads = next(
            line.split() for line in lines if "batch" in line and "trial" in line and "Measured" not in line
        )
        assert heads[-4:] == ["batch", "epoch", "trial", "stored"]
        assert {"wiring_cost", "dimensions"} <= set(heads)

    def test_the_sweep_and_its_cost_are_shown_and_nothing_is_written(self, sweep_file: Path) -> None:
        before = files(sweep_file.parent)
        done = CliRunner().invoke(
            app, ["run", str(sweep_file), "--out", str(sweep_file.parent / "runs"), "--dry-run"]
        )
        assert done.exit_code == 0, done.output
        assert "learner: {hidden: 6, embedding: " in done.output
        assert "learner.wiring_cost: {log: [0.0001, 0.1]}" in done.output
        assert "small: 3 trials." in done.output
        assert "first 3 suggestions" in done.output
        for line in ("a trial", "the sweep", "processor", "disk", "ended by"):
            assert f"\n {line} " in done.output
        assert "its number of trials" in done.output
        assert files(sweep_file.parent) == before and not (sweep_file.parent / "runs").exists()

    def test_the_same_suggestion_is_measured_once(self, sweep_file: Path) -> None:
        assert "first 1 suggestions" in said(sweep_file, "space={}")

    def test_a_small_grid_ends_before_its_trials(self, sweep_file: Path) -> None:
        space = "space={learner.dimensions: {choice: [1, 2]}}"
        assert "small: 2 trials, which are all combinations." in said(
            sweep_file, space, "search.sampler=grid", "search.trials=9"
        )

    def test_leaders_of_a_population_are_run_from_their_founders_on(self, sweep_file: Path) -> None:
        """Which costs as much as other trials with so many replicates: 2 places of 2, and 1 leader of 4."""
        text = said(
            sweep_file,
            "learner.schedule=constant",
            "search.evolution={population: 2, ready: 1}",
            "replicates={leaders: 4, trials: 1}",
        )
        again = "then the best 1 again, of 4 replicates, each from its founder on."
        assert f"2 founders, 3 trials at most; {again}" in text

    def test_children_of_an_archive_take_the_epochs_that_they_add(self, sweep_file: Path) -> None:
        grid = "archive: {measures: {modularity: [0, 1], rate: [0, 9]}, remeasure: 2}"
        text = said(
            sweep_file,
            "learner.schedule=constant",
            "objectives=[{metric: accuracy, goal: max}]",
            f"search.evolution={{population: 2, ready: 1, {grid}}}",
        )
        assert "2 founders, 3 trials; then each elite again, of 2 replicates." in text
        assert "how many elites are measured again" in text

    def test_the_budget_that_ends_it_is_named(self, sweep_file: Path) -> None:
        text = said(
            sweep_file,
            "search.trials=1000000",
            "budget={hours: 0.001, gigabytes: 50000, plateau: {trials: 50}}",
            "stopping={silent_after: 1}",
        )
        assert "`budget.hours`, after about 0% of that, or by a plateau of 50 trials" in text
        assert "not foreseen trials that are ended early, and how" in text

    def test_a_trial_that_would_fail_says_why(
        self, sweep_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(task: Task, splits: Splits) -> TrialCost:
            if task.learner.hidden == 6:
                raise MemoryError("no room for 6 neurons")
            return measure_trial(task, splits)

        monkeypatch.setattr("service.commands.estimate.measure_trial", fail)
        text = said(sweep_file)
        assert text.count("Such a trial fails: MemoryError: no room for 6 neurons") == 3
        assert "the sweep about" not in text


class TestFaults:
    def test_are_those_of_run(self, sweep_file: Path) -> None:
        with pytest.raises(UserError, match=r"learner.hidden: got 0"):
            said(sweep_file, "learner.hidden=0")
        with pytest.raises(UserError, match=r"search.warm_start: `late` can't be read"):
            said(sweep_file, "search={warm_start: [late]}")
        with pytest.raises(SweepError, match="a trial wants 1000 cores, there are"):
            said(sweep_file, "resources={cpus: 1000}")

    def test_another_sweep_of_that_name(self, sweep_file: Path, small_spec: MakeSpec) -> None:
        run_some(small_spec(), sweep_file.parent / "runs/small", 0)
        with pytest.raises(UserError, match=r"name: there is another sweep called `small`"):
            said(sweep_file, "learner.hidden=7")


class TestTakenUp:
    def test_what_is_finished_counts(self, sweep_file: Path, small_spec: MakeSpec) -> None:
        folder = sweep_file.parent / "runs/small"
        run_some(small_spec(budget="{cpu_hours: 2.5}"), folder, 2)
        with (folder / "plan.jsonl").open("a") as plan:
            plan.write('{"elapsed"')  # as a driver that is writing leaves it
        before = files(sweep_file.parent)
        text = said(sweep_file, "budget={cpu_hours: 2.6}", "search.trials=100000")
        assert "small: 100000 trials. It would be taken up: 2 are finished." in text
        assert "`budget.cpu_hours`, after about " in text
        assert files(sweep_file.parent) == before

    def test_a_finished_one_says_so(self, sweep_file: Path, small_spec: MakeSpec) -> None:
        run_some(small_spec(), sweep_file.parent / "runs/small", 3)
        text = said(sweep_file)
        assert text.endswith("small is finished: 3 trials. Nothing would be run.")

    def test_leaders_are_left(self, sweep_file: Path, small_spec: MakeSpec) -> None:
        spec = small_spec(replicates="{leaders: 4, trials: 2}")
        run_some(spec, sweep_file.parent / "runs/small", 4)
        text = said(sweep_file, "replicates={leaders: 4, trials: 2}")
        assert "3 trials; then the best 2 again, of 4 replicates. It would be taken up: 4 are" in text


def test_a_trial_is_its_parts(small_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that every part moves by a known time, what is measured is what the whole takes."""
    task = task_of(small_spec(), tmp_path)
    task = replace(task, learner=replace(task.learner, batch_size=10, epochs=7))
    empty: Any = [([], [])]
    train, validation, test = (
        SpikeDataset.from_events(empty * size, [0] * size, 3, 2) for size in (400, 600, 150)
    )
    start, batch, answer, snapshot = 3.0, 0.25, 0.01, 1.5
    now = 100.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    class Clockwork:
        config, epoch, net = task.learner, 0, None

        def __init__(self, learner: Any, splits: Splits, seeds: Any, threads: int) -> None:
            assert len(splits.train) == 400
            passes(start)

        def run_epoch(self) -> None:
            passes(len(self.splits.train) / 10 * batch + len(self.splits.validation) * answer)

        def networks(self) -> bytes:
            return bytes(123)

        splits: Splits

    def observe(task: Task, trainer: Any) -> list[Any]:
        passes(snapshot)
        return []

    clock = SimpleNamespace(perf_counter=lambda: now, process_time=lambda: now / 4)
    monkeypatch.setattr(estimate, "time", clock)
    monkeypatch.setattr(estimate, "Trainer", Clockwork)
    monkeypatch.setattr(estimate, "_snapshot", observe)
    monkeypatch.setattr(estimate, "evaluate", lambda net, data: passes(len(data) * answer))
    cost = measure_trial(replace(task, synapses=False), Splits(train, validation, test))
    epoch = 40 * batch + 600 * answer
    whole = start + 7 * epoch + 4 * snapshot + 150 * answer
    found = (cost.batch, cost.epoch, cost.seconds, cost.cpu_seconds)
    np.testing.assert_allclose(found, (batch, epoch, whole, whole / 4))
    assert cost.network_bytes == 123


def test_what_a_trial_stores_is_foreseen(small_spec: MakeSpec, tmp_path: Path) -> None:
    from model.datasets import load_splits

    spec = small_spec()
    task = task_of(spec, tmp_path)
    cost = measure_trial(task, load_splits(spec.data))
    trial = Trial(task)
    while not trial.advance().done:
        pass
    (network,) = (tmp_path / "networks").iterdir()
    assert cost.network_bytes == pytest.approx(network.stat().st_size, rel=0.01)
    synapses_apart = measure_trial(replace(task, synapses=False), load_splits(spec.data))
    assert cost.table_bytes - synapses_apart.table_bytes >= 2 * 6 * 5 * 4  # a float32 weight a synapse
    graphs = measure_trial(replace(task, delay_graph=True, nulls=2), load_splits(spec.data))
    assert graphs.table_bytes - cost.table_bytes >= 3 * 2 * 19 * 4  # at least a number a share
    assert list(tmp_path.glob("checkpoints/*")) == []


def test_a_sweep_is_its_trials() -> None:
    costs = [
        TrialCost(0.1, 1.0, 100.0, 90.0, table_bytes=1000, network_bytes=2000, picture_bytes=100),
        TrialCost(0.1, 1.0, 300.0, 270.0, table_bytes=3000, network_bytes=4000, picture_bytes=300),
    ]
    cost = sweep_cost(costs, 50, at_once=4, spare=True, networks=40)
    assert cost.seconds == 50 / 4 * 200 + estimate.START_SECONDS + ending_seconds(10)
    assert cost.cpu_hours == (4 * estimate.WORKER_SECONDS + 50 * 180) / 3600
    assert (cost.table_bytes, cost.network_bytes) == (100_000, 120_000)
    assert cost.picture_bytes == 10_000 + (
        10 * estimate.LEADER_BYTES + 5 * estimate.PROBE_BYTES + estimate.LIBRARY_BYTES
    )
    assert cost.folder_bytes == 220_000 + cost.picture_bytes
    shared = sweep_cost(costs, 50, at_once=4, spare=False, networks=1000)
    assert shared.seconds == pytest.approx(cost.seconds + 50 / 4 * estimate.TRIAL_SECONDS)
    one = sweep_cost(costs, 1, at_once=4, spare=True, networks=1000)
    assert one.seconds > 200  # it has but one worker
