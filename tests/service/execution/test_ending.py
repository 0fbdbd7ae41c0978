"""Ray is left by a process that does not touch it any more."""

import gc
import subprocess
import sys
import tempfile
import threading
import weakref

import pytest
import ray
from hang import HANG_SECONDS

from service.execution import ending
from service.execution.ending import collect, leave_ray

PROGRAM = """
import gc, sys, threading
from pathlib import Path
import ray
from ray._private.worker import global_worker
from service.execution.cluster import local_ray

class Core:
    def __init__(self, core):
        self._core = core
    def __getattr__(self, name):
        return getattr(self._core, name)
    def shutdown_driver(self):
        self._core.shutdown_driver()
        # The driver of a busy machine may wait here for long, while others go on.
        thread = threading.Thread(target=gc.collect)
        thread.start()
        thread.join()

with local_ray(Path(sys.argv[1])):
    global_worker.core_worker = Core(global_worker.core_worker)
    gc.disable()  # it might run just before
    left = [ray.put(1)]
    left.append(left)
    del left
print("ended well")
"""


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_a_collection_in_a_thread_does_not_end_the_process() -> None:
    """What Tune leaves is let go of in that thread, if it is still there."""
    with tempfile.TemporaryDirectory(
        prefix="e"
    ) as short:  # the path of a Unix socket may have 107 characters
        command = [sys.executable, "-c", PROGRAM, short]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (0, "ended well\n"), done.stderr


def test_garbage_is_collected_before_and_not_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    left = weakref.ref(_Cycle())
    seen: list[object] = []
    monkeypatch.setattr(ray, "shutdown", lambda: seen.append((left(), gc.isenabled())))
    leave_ray()
    assert seen == [(None, False)] and gc.isenabled()


def test_the_collection_of_another_thread_is_awaited() -> None:
    """`gc.collect` would return at once, having done nothing."""
    begun, goes_on = threading.Event(), threading.Event()

    class Slow(_Cycle):
        def __del__(self) -> None:
            begun.set()
            goes_on.wait(60)

    gc.disable()
    try:
        Slow()
        thread = threading.Thread(target=gc.collect)
        thread.start()
        assert begun.wait(60)
        left = weakref.ref(_Cycle())
        assert not collect(patience=0.05) and left() is not None
        threading.Timer(0.1, goes_on.set).start()
        assert collect(patience=60) and left() is None
        thread.join()
    finally:
        goes_on.set()
        gc.enable()


def test_ray_is_shut_down_also_if_a_collection_does_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(ray, "shutdown", lambda: seen.append("shutdown"))
    monkeypatch.setattr(ending, "collect", lambda patience: False)
    leave_ray()
    assert seen == ["shutdown"] and "still collects garbage" in caplog.text
