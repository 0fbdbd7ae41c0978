"""Files of a sweep cut short or with flipped bits, at seeded random places.

There are words instead of tracebacks, no wrong number comes from the record, and nothing is lost: once the
file is restored, all is as it was.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import MagicMock

import h5py
import numpy as np
import pytest
from rich.console import Console

from model import Cohort, SpikeDataset
from model.datasets.ragged import DataError
from model.network.best import Best
from model.network.checkpoint import pack
from service import Sweep
from service.cli import main
from service.commands.run import conduct
from service.config.document import read
from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import PolychronyError, SweepError
from service.storage.atomic import write_whole
from service.storage.layout import checkpoint_file, network_file, sweep_file
from service.worker.task import Report, Task
from service.worker.trial import Trial

SWEEP = """\
name: small
data: {name: digits}
learner: {hidden: 6, epochs: 2, duration: 20.0, dt: 2.0, batch_size: 512, replicates: 2}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}, learner.dimensions: {choice: [1, 2, 3]}}
search: {sampler: random, trials: 5, seed: 5}
objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]
"""
CASES = 8
"""Damages to each file."""

Damage = Callable[[bytes, random.Random], bytes]


def cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def flipped(content: bytes, draw: random.Random) -> bytes:
    damaged = bytearray(content)
    damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def garbage(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + draw.randbytes(draw.choice([1, 8, 64])) + content[at:]


DAMAGES: list[Damage] = [cut, flipped, flipped, garbage]


@contextmanager
def damaged(path: Path, case: int) -> Iterator[None]:
    """The file with a damage, and afterwards as it was, unless it was written anew meanwhile.

    A bit of a page's header may be flipped without a difference to any value: then a sweep goes on.
    """
    draw = random.Random(f"{path.name} {case}")
    content = path.read_bytes()
    harmed = DAMAGES[case % len(DAMAGES)](content, draw)
    path.write_bytes(harmed)
    yield
    if path.read_bytes() == harmed:
        path.write_bytes(content)


def report(task: Task, epoch: int) -> Report:
    values = [task.trial + epoch / 10 + replicate / 7 for replicate in range(2)]
    metrics = {"accuracy": values, "wiring_length": values, "silent": [0.0] * 2, "seconds": [1.0] * 2}
    return Report(task.trial, epoch, metrics, done=epoch == task.learner.epochs)


def run_through(controller: SweepController, trials: int) -> None:
    for _ in range(trials):
        if (task := controller.next_task()) is None:
            return
        while controller.take(report(task, (controller.record.last_epoch(task.trial) or 0) + 1)).goes_on:
            pass


def drive(spec: SweepSpec, file: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`polychrony run` but for workers and MLflow."""
    monkeypatch.setattr("service.commands.run._mlflow", lambda *arguments: nullcontext(MagicMock()))
    monkeypatch.setattr("service.commands.summary.print_summary", lambda *arguments: None)
    conduct(spec, read(file), runs, Console(quiet=True), lambda controller: run_through(controller, 100))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep whose driver was killed: rows in tables and in the log, one trial unfinished."""
    runs = tmp_path_factory.mktemp("runs")
    asked = runs / "small.yaml"
    asked.write_text(SWEEP)
    spec = load(asked)
    folder = runs / "small"
    write_whole(sweep_file(folder), dump(spec).encode())
    controller = SweepController(spec, folder)
    run_through(controller, 2)
    controller.record.flush()
    run_through(controller, 1)
    task = controller.next_task()
    assert task is not None and controller.take(report(task, 1)).goes_on
    net = Cohort(task.learner, 64, 10, seeds=task.seeds)
    write_whole(network_file(folder, 0), pack(net, None, 2, Best()))
    assert (folder / "log.jsonl").stat().st_size > 0
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    names = {".lock", ".driver.json"}
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in names]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def polychrony(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a command; what it raises but for that is a fault of the program."""
    monkeypatch.setattr("sys.argv", ["polychrony", *arguments])
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


READ = [
    "sweep.yaml",
    "plan.jsonl",
    "log.jsonl",
    "environments.json",
    *(f"tables/{name}/part-000000.parquet" for name in ("trials", "epochs", "neurons")),
]


@pytest.mark.parametrize("name", READ)
def test_commands_that_read(
    killed: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, runs = files_of(killed), str(killed.parent)
    rows = {table: Sweep(killed).arrow(table) for table in ("trials", "epochs", "neurons")}
    table = name.split("/")[1] if "/" in name else "trials"
    for case in range(CASES):
        with damaged(killed / name, case):
            assert polychrony(monkeypatch, "list", "--out", runs) == 0
            assert polychrony(monkeypatch, "status", "small", "--out", runs) in (0, 1, 2)
            assert polychrony(monkeypatch, "table", "small", table, "--out", runs) in (0, 1)
            try:
                assert Sweep(killed).arrow(table).equals(rows[table])
                Sweep(killed).environment(0)
            except PolychronyError:
                pass
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
    assert files_of(killed) == before


@pytest.mark.parametrize("name", READ)
def test_a_sweep_that_is_taken_up(
    killed: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the damage it goes on rightly or ends in words; restored, it goes on to its end."""
    file = killed.parent / "small.yaml"
    spec = load(file)
    for case in range(CASES):
        runs = tmp_path / str(case)
        shutil.copytree(killed, runs / "small")
        try:
            with damaged(runs / "small" / name, case):
                before = (runs / "small" / name).read_bytes()
                drive(spec, file, runs, monkeypatch)
        except PolychronyError as error:
            assert name.rpartition("/")[2] in str(error)
            assert (runs / "small" / name).read_bytes() == before
            shutil.copy(killed / name, runs / "small" / name)
            drive(spec, file, runs, monkeypatch)
        check(runs / "small")


def check(folder: Path) -> None:
    """Every trial once, each epoch at most once, no number other than reported."""
    trials = Sweep(folder).table("trials").sort_values("trial")
    assert trials["trial"].tolist() == list(range(5))
    complete = trials[trials["state"] == "complete"]
    np.testing.assert_allclose(complete["accuracy"], complete["trial"] + 0.2 + 1 / 14, rtol=1e-12)
    epochs = Sweep(folder).table("epochs")
    assert not epochs.duplicated(["trial", "replicate", "epoch"]).any()
    expected = epochs["trial"] + epochs["epoch"] / 10 + epochs["replicate"] / 7
    np.testing.assert_array_equal(epochs["accuracy"], expected)


def test_networks(killed: Path) -> None:
    whole = Sweep(killed).network(0).state_dict()
    for case in range(60):
        with damaged(network_file(killed, 0), case):  # type: ignore[arg-type]
            try:
                found = Sweep(killed).network(0).state_dict()
            except SweepError as error:
                assert "000000.safetensors" in str(error)
            else:
                assert all(found[name].equal(value) for name, value in whole.items())


def test_a_trial_whose_checkpoint_is_damaged_begins_anew(killed: Path, tmp_path: Path) -> None:
    task = Task(
        3, load(killed.parent / "small.yaml").learner, load(killed.parent / "small.yaml").data, 1, tmp_path
    )
    trial = Trial(task)
    first, second = trial.advance(), trial.advance()
    path = checkpoint_file(tmp_path, 3)
    for case in range(2):
        trial = Trial(task)
        trial.advance()
        assert trial._trainer is not None
        write_whole(path, DAMAGES[case](trial._trainer.checkpoint(), random.Random(case)))
        again = Trial(task)
        reports = [again.advance(), again.advance()]
        for found, expected in zip(reports, (first, second), strict=True):
            assert found.failure is None and found.epoch == expected.epoch
            assert found.metrics["accuracy"] == expected.metrics["accuracy"]


def test_sweep_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user's own file: refused with line and cure, or another legal sweep."""
    path = tmp_path / "mine.yaml"
    path.write_text(SWEEP)
    for case in range(100):
        with damaged(path, case):
            try:
                load(path)
            except PolychronyError as error:
                assert str(error).startswith(f"{path}:")


def test_spike_files(tmp_path: Path) -> None:
    path = tmp_path / "train.h5"
    draw = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (20,), dtype=h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (20,), dtype=h5py.vlen_dtype(np.int64))
        for sample in range(20):
            times[sample] = np.sort(draw.uniform(0, 0.5, 9)).astype(np.float16)
            units[sample] = draw.integers(0, 50, 9)
        file.create_dataset("labels", data=np.arange(20) % 4)
    for case in range(100):
        with damaged(path, case):
            try:
                SpikeDataset.from_hdf5(path)
            except DataError as error:
                assert str(path) in str(error)
