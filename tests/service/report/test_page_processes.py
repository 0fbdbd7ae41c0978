"""Pages drawn by processes of their own, which may be started before it is known what there is to draw."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from known_sweep import write_known_sweep

from service.report.leader_pages import LeaderPage
from service.report.page_processes import PageProcesses
from service.storage.layout import network_file

PAGES = [LeaderPage(1, "page"), LeaderPage(12, "page"), LeaderPage(1, "probes")]
PATIENCE = 120.0
DRIVER = """
import sys, time
from pathlib import Path
from service.report import page_processes
page_processes.processes_at_most = lambda: 2
processes = page_processes.PageProcesses(Path(sys.argv[1]))
processes.start()
print(processes._first.pid, flush=True)
time.sleep(1e6)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("service.report.page_processes.processes_at_most", lambda: 2)
    return write_known_sweep(tmp_path / "known", networks=(1, 12))


def _within_patience(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


def _wait(processes: PageProcesses) -> None:
    assert _within_patience(lambda: not processes.at_work)


def _group_of(first: int) -> int:
    """How many processes are in the group of `first`; one that has ended and nobody waits for is none."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            found += group == str(first) and state != "Z"
    return found


def _nobody_of(first: int) -> bool:
    return _group_of(first) == 0


def test_those_that_wait_draw_and_end(folder: Path) -> None:
    with closing(PageProcesses(folder)) as processes:
        processes.start()
        assert processes.draw(PAGES)
        _wait(processes)
        assert not processes.at_work
    assert [one.is_drawn(folder) for one in PAGES] == [True] * 3


def test_a_page_that_can_not_be_drawn_keeps_no_other(folder: Path) -> None:
    network_file(folder, 1).write_bytes(b"damaged")
    with closing(PageProcesses(folder)) as processes:
        assert processes.draw(PAGES)
        _wait(processes)
    assert [one.is_drawn(folder) for one in PAGES] == [False, True, False]


def test_all_end_with_their_driver(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(folder)], stdout=-1, text=True) as driver:
        assert driver.stdout is not None
        first = int(driver.stdout.readline())
        assert _within_patience(lambda: _group_of(first) == 2)  # it has divided
        driver.kill()
    assert _within_patience(partial(_nobody_of, first))


def test_closed_they_are_gone_and_may_be_started_again(folder: Path) -> None:
    processes = PageProcesses(folder)
    for _ in range(2):
        processes.start()
        first = processes._first
        processes.start()  # they are there already
        assert first is not None and processes._first is first
        processes.close()
        assert first.poll() is not None and _within_patience(partial(_nobody_of, first.pid))
    processes.close()  # and again, which is nothing


def test_those_that_ended_before_their_time_are_not_awaited(folder: Path) -> None:
    with closing(PageProcesses(folder)) as processes:
        processes.start()
        assert processes._first is not None
        os.killpg(processes._first.pid, signal.SIGKILL)
        processes._first.wait()
        processes.draw(PAGES)
        assert not processes.at_work


def test_there_are_none_where_one_process_draws_as_fast(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", never)
    processes = PageProcesses(folder)
    assert not processes.draw([])
    assert not processes.draw(PAGES[:1])
    monkeypatch.setattr("service.report.page_processes.processes_at_most", lambda: 1)
    processes.start()
    assert not processes.draw(PAGES) and not processes.at_work
