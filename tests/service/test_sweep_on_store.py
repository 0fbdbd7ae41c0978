"""A sweep on an object store: killed at each request that changes something, listed, read, deleted."""

from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from object_store import ObjectStore
from rich.console import Console

from service import Sweep, Sweeps
from service.commands.delete import delete
from service.commands.listing import print_list
from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import SweepError, UserError
from service.record.record import Record
from service.record.schema import make_schemas
from service.results.sweeps import sweeps_named
from service.storage.atomic import write_whole
from service.storage.layout import sweep_file
from service.storage.lock import sweep_lock
from service.storage.paths import StoragePath
from service.worker.task import Report, Task

MakeSpec = Callable[..., SweepSpec]


class Killed(BaseException):
    """The driver is gone."""


def report(task: Task, epoch: int) -> Report:
    values = [task.trial + epoch / 10 + replicate for replicate in range(2)]
    metrics = {"accuracy": values, "wiring_length": values, "silent": [0.0] * 2, "seconds": [1.0] * 2}
    return Report(task.trial, epoch, metrics, done=epoch == task.learner.epochs)


def drive(spec: SweepSpec, folder: StoragePath) -> None:
    """A driver with two workers, which take turns."""
    with sweep_lock(folder) as held:
        write_whole(sweep_file(held), dump(spec).encode())
        with closing(SweepController(spec, held)) as controller:
            running: list[tuple[Task, int]] = []
            while True:
                while len(running) < 2 and (task := controller.next_task()):
                    running.append((task, 1))
                if not running:
                    return
                task, epoch = running.pop(0)
                if controller.take(report(task, epoch)).goes_on:
                    running.append((task, epoch + 1))


def tables(folder: StoragePath) -> tuple[pd.DataFrame, pd.DataFrame]:
    sweep = Sweep(folder)
    return sweep.table("trials").sort_values("trial", ignore_index=True), sweep.table("epochs")


def test_killed_at_each_request_and_taken_up_again(small_spec: MakeSpec) -> None:
    spec = small_spec()
    whole = ObjectStore().path()
    drive(spec, whole)
    expected, _ = tables(whole)
    for at in range(0, 1000, 3):
        store = ObjectStore()
        left = at

        def kill(what: str, key: str, store: ObjectStore = store) -> None:
            nonlocal left
            left -= what in ("write", "deleted")
            if left < 0:
                raise Killed

        store.fail = kill
        try:
            drive(spec, store.path())
            break
        except Killed:
            pass
        store.fail = lambda what, key: None
        for key in [key for key in store.files if "/.lock/" in key]:
            del store.files[key]  # as if some time had passed
        drive(spec, store.path())
        trials, epochs = tables(store.path())
        assert trials["trial"].tolist() == [0, 1, 2] and (trials["state"] == "complete").all()
        columns = ["wiring_cost", "dimensions", "accuracy", "seed"]
        pd.testing.assert_frame_equal(trials[columns], expected[columns])
        assert not epochs.duplicated(["trial", "replicate", "epoch"]).any() and len(epochs) == 12
    assert at > 20


def test_who_has_lost_the_sweep_writes_no_more(small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that slept, and whose sweep was taken over, leaves it as the other has made it."""
    monkeypatch.setattr("service.storage.process.process_of", lambda pid="self": [])
    now, store = 1e9, ObjectStore()
    store.clock = lambda: now
    monkeypatch.setattr("service.storage.lease._now", lambda: now)
    spec, folder = small_spec(), store.path()
    with suppress(SweepError), sweep_lock(folder) as held, closing(SweepController(spec, held)) as sleeper:
        task = sleeper.next_task()
        assert task is not None and sleeper.take(report(task, 1)).goes_on
        now += 100
        drive(spec, folder)
        after = dict(store.files)
        with pytest.raises(SweepError, match="another process may run the sweep by now"):
            sleeper.take(report(task, 2))
        with pytest.raises(SweepError):
            sleeper.close()
        assert store.files == after
    assert tables(folder)[0]["trial"].tolist() == [0, 1, 2]


@pytest.fixture
def runs(home: StoragePath) -> StoragePath:
    for name, count in (("early", 2), ("late", 3)):
        asked = f"name: {name}\ndata: {{name: digits}}\nsearch: {{trials: 3}}\n"
        write_whole(home / name / "sweep.yaml", asked.encode())
        with Record.open(home / name, make_schemas({"hidden": pa.int64()})) as record:
            rows = [{"trial": n, "state": "complete", "accuracy": n / 4, "hidden": 8} for n in range(count)]
            record.append("trials", rows)
    write_whole(home / "notes.txt", b"mine")
    return home


def test_sweeps_are_read_and_listed(runs: StoragePath, capsys: pytest.CaptureFixture[str]) -> None:
    assert Sweeps(runs).table("trials")["sweep"].tolist() == ["early"] * 2 + ["late"] * 3
    assert Sweep(runs / "late").arrow("trials", "trial == 2", ["accuracy"]).to_pylist() == [{"accuracy": 0.5}]
    with pytest.raises(UserError, match="there is none here; sweeps there: early, late"):
        Sweep(runs / "lat")
    with pytest.raises(
        UserError, match="there is no such table; tables are delay_graph, epochs, layers, lesions, neurons"
    ):
        Sweep(runs / "late").table("trial")
    with pytest.raises(UserError, match="has no networks; there are none yet"):
        Sweep(runs / "late").network(0)
    with sweep_lock(runs / "late"):
        print_list(runs, Console(width=160))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    states = sorted(line[:2] for line in lines[1:])
    assert states == [["early", "unfinished"], ["late", "running"]]


def test_sweeps_are_deleted(runs: StoragePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.commands.delete.remove_runs", lambda *arguments: 0)
    with sweep_lock(runs / "late"), pytest.raises(SweepError, match="late is running; stop it first"):
        delete(sweeps_named(["early", "late"], runs), Console())
    assert [sweep.name for sweep in Sweeps(runs).sweeps] == ["early", "late"]
    delete(sweeps_named(["early"], runs), Console())
    assert not (runs / "early").exists() and (runs / "notes.txt").read_bytes() == b"mine"
    assert Sweep(runs / "late").spec.planned == 3


def test_the_lease_of_a_sweep_that_is_deleted_goes_last(
    small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else another driver could begin the sweep anew while it is being removed."""
    monkeypatch.setattr("service.commands.delete.remove_runs", lambda *arguments: 0)
    store = ObjectStore()
    folder = store.path() / "small"
    drive(small_spec(), folder)
    deleted: list[str] = []
    store.fail = lambda what, key: deleted.append(key) if what == "deleted" else None
    delete(sweeps_named(["small"], folder.parent), Console())
    assert deleted[0].endswith("/sweep.yaml") and deleted[-1].endswith("/.lock/lease")
    assert len(deleted) > 5 and store.files == {}


def test_who_has_lost_the_sweep_deletes_nothing(
    small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, store = 1e9, ObjectStore()
    monkeypatch.setattr("service.storage.lease._now", lambda: now)

    def sleep(*arguments: object) -> int:
        nonlocal now
        now += 100
        return 0

    monkeypatch.setattr("service.commands.delete.remove_runs", sleep)
    folder = store.path() / "small"
    drive(small_spec(), folder)
    before = set(store.files)
    with pytest.raises(SweepError, match="another process may run the sweep by now"):
        delete(sweeps_named(["small"], folder.parent), Console())
    assert set(store.files) == before


def test_a_resolved_sweep_is_read_where_it_lies(home: StoragePath, small_spec: MakeSpec) -> None:
    spec: Any = small_spec()
    write_whole(sweep_file(home), dump(spec).encode())
    assert load(sweep_file(home)) == spec
    write_whole(sweep_file(home), b"name: [")
    with pytest.raises(UserError, match=r"sweep\.yaml:1: file: "):
        load(sweep_file(home))
