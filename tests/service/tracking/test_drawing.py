"""Pictures of trials are drawn with or without MLflow."""

import signal
import threading
import time
from concurrent.futures import CancelledError
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hang import HANG_SECONDS
from trials import MakeSpec

from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.report.leader_pages import ending_seconds
from service.storage.atomic import write_whole
from service.storage.layout import pictures_folder, sweep_file
from service.tracking.drawing import Artifacts, Drawer
from service.tracking.listener import MlflowListener
from service.tracking.store import Store
from service.tracking.view import MlflowView
from service.worker.trial import Trial


def test_pictures_are_drawn_though_the_store_can_not_be_used(tmp_path: Path, small_spec: MakeSpec) -> None:
    def connect() -> Store:
        raise ConnectionError("no such store")

    spec = small_spec(search__trials=1)
    write_whole(sweep_file(tmp_path), dump(spec).encode())
    view = MlflowView(connect, retry_seconds=60)
    with closing(SweepController(spec, tmp_path)) as controller:
        listener = MlflowListener(view, spec, controller.record, tmp_path)
        controller.listeners = [listener]
        while task := controller.next_task():
            trial = Trial(task)
            while controller.take(trial.advance()).goes_on:
                pass
        listener.show_results(lambda _: None)
        view.close("failed", patience=0.2)
        assert listener.close("failed") > 0
    drawn = {path.name for path in pictures_folder(tmp_path, 0).iterdir()}
    assert drawn >= {"positions.png", "delays.png", "positions.html", "raster.png", "pruning.png"}


def _swept(tmp_path: Path, spec: SweepSpec) -> SweepController:
    """A sweep of which all trials are over."""
    write_whole(sweep_file(tmp_path), dump(spec).encode())
    controller = SweepController(spec, tmp_path)
    while task := controller.next_task():
        trial = Trial(task)
        while controller.take(trial.advance()).goes_on:
            pass
    return controller


def test_ctrl_c_skips_the_pages_and_the_next_run_draws_them_in_other_processes(
    tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.report.page_processes.processes_at_most", lambda: 2)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored

    def connect() -> Store:
        raise ConnectionError("no such store")

    said: list[str] = []

    def interrupted(text: str) -> None:
        said.append(text)
        signal.raise_signal(signal.SIGINT)

    spec = small_spec(search__trials=1)
    with closing(_swept(tmp_path, spec)) as controller:
        listener = MlflowListener(MlflowView(connect, 60), spec, controller.record, tmp_path)
        listener.show_results(interrupted)
        assert said == ["drawing 1 of 2 pages (ctrl-C skips; the same command draws them later)"]
        signal.signal(signal.SIGINT, handler)
        assert not (pictures_folder(tmp_path, 0) / "connectivity.png").exists()
        drawn_here: list[int] = []

        def note(trial: int, files: Artifacts) -> Artifacts:
            drawn_here.append(trial)
            return dict

        monkeypatch.setattr(listener, "_drawn", note)
        listener.show_results(said.append)
        assert drawn_here == []
        drawn = {path.name for path in pictures_folder(tmp_path, 0).iterdir()}
        assert drawn >= {"positions.html", "raster.png", "pruning.csv"}
        count = len(said)
        listener.show_results(said.append)
        assert len(said) == count  # all is there: nothing is drawn, and no process is started for it
        listener.close("cancelled")


def test_pages_are_begun_as_soon_as_no_trial_runs(
    tmp_path: Path, small_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.report.page_processes.processes_at_most", lambda: 2)

    def connect() -> Store:
        raise ConnectionError("no such store")

    def is_drawn() -> bool:
        return (pictures_folder(tmp_path, 0) / "pruning.csv").exists()

    spec = small_spec(search__trials=1)
    with closing(_swept(tmp_path, spec)) as controller:
        listener = MlflowListener(MlflowView(connect, 60), spec, controller.record, tmp_path)
        for running in (1, 0, 0):
            listener.worker_idle(running)
        until = time.monotonic() + HANG_SECONDS
        while not is_drawn() and time.monotonic() < until:
            time.sleep(0.05)
        assert is_drawn()  # and nobody has asked for the results yet
        said: list[str] = []
        listener.show_results(said.append)
        assert said[0].startswith("drawing 1 of 2 pages")
        listener.close("cancelled")


def test_the_end_takes_less_time_with_more_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(cores: int, pages: int) -> float:
        monkeypatch.setattr("service.report.leader_pages.processes_at_most", lambda: cores)
        return ending_seconds(pages)

    assert seconds(1, 10) > seconds(2, 10) > seconds(2, 4)
    assert seconds(4, 1) == seconds(1, 1)


def test_they_are_drawn_in_turn_and_awaited() -> None:
    drawer, order = Drawer(), list[str]()

    def files(name: str) -> dict[str, bytes]:
        order.append(name)
        return {name: b"png"}

    first, second = (drawer.draw(partial(files, name), "it") for name in ("a", "b"))
    assert (second(), first()) == ({"b": b"png"}, {"a": b"png"})
    assert order[:2] == ["a", "b"]
    drawer.close(at_once=False)


def test_what_was_not_drawn_when_a_sweep_was_interrupted_counts_as_no_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else a trial would be finished without them, and never be told again."""
    drawer, goes_on, begun = Drawer(), threading.Event(), threading.Event()

    def files() -> dict[str, bytes]:
        begun.set()
        goes_on.wait(60)
        return {"a.png": b"png"}

    first, second = drawer.draw(files, "it"), drawer.draw(files, "it")
    assert begun.wait(60)
    threading.Timer(0.1, goes_on.set).start()
    drawer.close(at_once=True)
    assert first() == {"a.png": b"png"}
    with pytest.raises(CancelledError):
        second()
    assert not caplog.messages


def test_what_can_not_be_drawn_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> dict[str, bytes]:
        raise ValueError("no such network")

    drawer = Drawer()
    assert drawer.draw(fail, "trial 5")() == {}
    drawer.close(at_once=False)
    assert caplog.messages == ["no pictures of trial 5: ValueError: no such network"]
