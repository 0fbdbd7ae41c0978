"""Pages drawn by processes of their own, which may be started before it is known what there is to draw."""

import os
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from known_sweep import write_known_sweep

from service.report.leader_pages import LeaderPage
from service.report.page_processes import PageProcesses
from service.storage.layout import network_file

PAGES = [LeaderPage(1, "page"), LeaderPage(12, "page"), LeaderPage(1, "probes")]
PATIENCE = 120.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("service.report.page_processes.processes_at_most", lambda: 2)
    return write_known_sweep(tmp_path / "known", networks=(1, 12))


def _wait(processes: PageProcesses) -> None:
    until = time.monotonic() + PATIENCE
    while processes.at_work and time.monotonic() < until:
        time.sleep(0.05)


def test_one_that_waits_draws_too_and_all_end(folder: Path) -> None:
    with closing(PageProcesses(folder)) as processes:
        processes.start_one()
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


def test_they_end_with_their_driver(folder: Path) -> None:
    """Whoever has the pipe's other end may be killed at any moment."""
    processes = PageProcesses(folder)
    processes.start_one()
    (waiting,) = processes._running
    for end in processes._ends:  # what the system does when the driver is killed
        os.close(end)
    processes._ends = []
    assert waiting.wait(PATIENCE) == 0
    processes.close()


def test_closed_they_are_gone_and_may_be_started_again(folder: Path) -> None:
    processes = PageProcesses(folder)
    for _ in range(2):
        for _ in range(3):  # there is room for two
            processes.start_one()
        running = list(processes._running)
        assert len(running) == 2
        processes.close()
        assert all(one.poll() is not None for one in running)
    processes.close()  # and again, which is nothing


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
    processes.start_one()
    assert not processes.draw(PAGES) and not processes.at_work
