"""The sweep files of the published networks: their conditions, and that they run on other data than SHD."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from shd_file import write_shd
from typer.testing import CliRunner

from search.combinations import combinations
from service.cli import app
from service.commands import dry_run, estimate
from service.config.load import load
from service.config.sweep import SweepSpec, dump, learner_for
from service.control.controller import SweepController
from service.results.sweep import Sweep
from service.worker.trial import Trial

SWEEPS = Path(__file__).resolve().parents[2] / "sweeps"
FILES = ("meszaros2025.yaml", "meszaros2025_sizes.yaml")
SMALL = (
    "learner.hidden=6",
    "learner.replicates=2",
    "learner.epochs=4",
    "learner.duration=600.0",
    "learner.position_learning_rate=5.0",
    "space={learner.embedding: {choice: [space, shuffled]}}",
    "record={snapshots: 2}",
)


@pytest.fixture(scope="module")
def own_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The two settings that name other data."""
    folder = tmp_path_factory.mktemp("data")
    write_shd(folder / "train.h5", 12)
    write_shd(folder / "test.h5", 6, seed=1)
    return [f"data.path={folder / 'train.h5'}", f"data.test={folder / 'test.h5'}"]


def conditions(spec: SweepSpec) -> list[dict[str, object]]:
    return [dict(one) for one in combinations(spec.space.given(spec.fixed), 0)]


def test_every_condition_with_a_cost_is_there(own_files: list[str]) -> None:
    spec = load(SWEEPS / FILES[0], own_files)
    found = conditions(spec)
    published = (1e-10, 5e-10, 1e-9, 5e-9, 1e-8, 1e-7)
    assert len(found) == spec.planned == 24 == 2 * 2 * len(published)
    for values in found:
        learner = learner_for(spec, values)
        assert min(abs(learner.wiring_cost / 20 / one - 1) for one in published) < 1e-9
        assert (learner.cost_step, learner.relative_cost, learner.hidden) == ("gradient", True, 128)


def test_every_condition_without_one_is_there(own_files: list[str]) -> None:
    spec = load(SWEEPS / FILES[1], own_files)
    learners = [learner_for(spec, values) for values in conditions(spec)]
    kinds = {(one.hidden, one.embedding, one.dimensions) for one in learners}
    sizes, flat = (32, 64, 128), ("none", "axonal", "free")
    expected = {(n, embedding, 2) for n in sizes for embedding in flat}
    assert kinds == expected | {(n, "space", d) for n in sizes for d in (2, 3, 4)}
    assert len(learners) == spec.planned == 18
    assert all((one.rate_cost > 0) == (one.embedding == "none") for one in learners)


def test_both_files_say_the_same_of_what_both_say(own_files: list[str]) -> None:
    one, other = (load(SWEEPS / file, own_files) for file in FILES)
    differ = {name for name, value in one.fixed.items() if name in other.fixed and other.fixed[name] != value}
    assert differ == {"learner.cost_step", "learner.relative_cost"}  # of a cost that the other has not


def test_a_dry_run_needs_no_more_than_the_names_of_the_files(
    own_files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "BATCHES_SECONDS", 0.02)
    monkeypatch.setattr(dry_run, "SUGGESTIONS", 1)
    few = ["learner.replicates=1", "record.nulls=0"]  # it needs no more; this takes less time
    options = [part for option in [*own_files, *few] for part in ("--set", option)]
    command = ["run", str(SWEEPS / FILES[0]), "--out", str(tmp_path / "runs"), "--dry-run", *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "meszaros2025: 24 trials." in done.output
    assert "fails" not in done.output and "a trial" in done.output


def test_a_trial_is_what_its_kept_networks_are(own_files: list[str], tmp_path: Path) -> None:
    """Metrics that are asked of validation samples are null; the others are those of the best epochs."""
    spec = load(SWEEPS / FILES[0], [*own_files, *SMALL])
    folder = tmp_path / "small"
    with closing(SweepController(spec, folder)) as controller:
        while task := controller.next_task():
            trial = Trial(task)
            while controller.take(trial.advance()).goes_on:
                pass
        assert controller.queue.over
    trials = controller.record.rows("trials").to_pylist()
    epochs = controller.record.rows("epochs").to_pandas()
    assert [row["state"] for row in trials] == ["complete", "complete"]
    early = 0
    for row in trials:
        own = epochs[epochs["trial"] == row["trial"]]
        best = [rows.loc[rows["train_accuracy"].idxmax()] for _, rows in own.groupby("replicate")]
        for metric in ("train_accuracy", "train_loss", "rate", "silent", "wiring_length"):
            assert row[metric] == pytest.approx(np.mean([one[metric] for one in best])), metric
        assert row["accuracy"] is None and row["loss"] is None and row["test_accuracy"] is not None
        assert own["accuracy"].isna().all()
        early += sum(one["epoch"] < own["epoch"].max() for one in best)
    assert early  # or the best were the last, and this would show nothing


def test_the_networks_of_a_trial_are_read_as_ever(own_files: list[str], tmp_path: Path) -> None:
    spec = load(SWEEPS / FILES[0], [*own_files, *SMALL, "learner.epochs=1"])
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "sweep.yaml").write_text(dump(spec))
    with closing(SweepController(spec, folder)) as controller:
        task = controller.next_task()
        assert task is not None
        assert not controller.take(Trial(task).advance()).goes_on
    sweep = Sweep(folder)
    net = sweep.network(0)
    assert net.config.keep == "best" and net.replicates == 2
    assert sweep.spec == spec
