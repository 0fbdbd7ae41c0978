"""Pictures of trials are drawn with or without MLflow."""

import threading
from concurrent.futures import CancelledError
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from trials import MakeSpec

from service.control.controller import SweepController
from service.storage.layout import pictures_folder
from service.tracking.drawing import Drawer
from service.tracking.listener import MlflowListener
from service.tracking.store import Store
from service.tracking.view import MlflowView
from service.worker.trial import Trial


def test_pictures_are_drawn_though_the_store_can_not_be_used(tmp_path: Path, small_spec: MakeSpec) -> None:
    def connect() -> Store:
        raise ConnectionError("no such store")

    spec = small_spec(search__trials=1)
    view = MlflowView(connect, retry_seconds=60)
    with closing(SweepController(spec, tmp_path)) as controller:
        listener = MlflowListener(view, spec, controller.record, tmp_path)
        controller.listeners = [listener]
        while task := controller.next_task():
            trial = Trial(task)
            while controller.take(trial.advance()).goes_on:
                pass
        listener.show_leaders()
        view.close("failed", patience=0.2)
        assert listener.close("failed") > 0
    drawn = {path.name for path in pictures_folder(tmp_path, 0).iterdir()}
    assert drawn >= {"positions.png", "delays.png", "positions.html", "raster.png", "pruning.png"}


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
