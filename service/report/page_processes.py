"""Processes that draw pages of leading trials side by side, when no trial needs the cores any more.

All read the names of pages from one pipe, so that each draws the next that nobody has begun; what is drawn
stays in the sweep's folder. To load what draws takes seconds: a process may be started before it is known
what there is to draw.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from service.importing import importing, leave_at_once
from service.report.leader_pages import LeaderPage, processes_at_most
from service.storage.paths import StoragePath

NAMED = 32
"""Bytes that name a page in the pipe, with spaces at the end: so few are read as a whole or not at all."""


class PageProcesses:
    """They are out of reach of the terminal's ctrl-C, and end when all is drawn, or with their driver.

    What fails there is passed over: whoever asks for the page next draws it, and is told why it can't be.

    There are none on a single core, nor where the store of the folder may be known to this process alone.
    """

    def __init__(self, folder: StoragePath) -> None:
        """Args: the folder of the sweep."""
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._ends: list[int] = []  # of the pipe that are open here: where names come out, where they go in

    def start_one(self) -> None:
        """Start one more, if there is room for one; it loads what draws, and waits until `draw`."""
        if not isinstance(self._folder, Path) or not 1 < processes_at_most() > len(self._running):
            return
        if not self._ends:
            self._ends = list(os.pipe())
        command = [sys.executable, "-m", __spec__.name, str(self._folder)]
        # It finds what this process finds, and does its small operations on one core.
        ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        quiet = subprocess.DEVNULL
        one = subprocess.Popen(
            command,
            env=os.environ | ours,
            stdin=self._ends[0],
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
        self._running.append(one)

    def draw(self, pages: Sequence[LeaderPage]) -> bool:
        """Have the pages drawn, in their order; before others are, they must be closed.

        Returns whether that is done. A single page is not: this process draws it before another could.
        """
        if len(pages) < 2:
            return False
        for _ in pages[len(self._running) :]:
            self.start_one()
        if not self._running:
            return False
        names = self._ends.pop()
        os.write(names, b"".join(f"{n}:{kind}".ljust(NAMED).encode() for n, kind in pages))
        os.close(names)
        return True

    @property
    def at_work(self) -> bool:
        """Whether any of them still runs."""
        return any(one.poll() is None for one in self._running)

    def close(self) -> None:
        """End them, whatever they draw."""
        for one in self._running:
            one.terminate()
        for one in self._running:
            one.wait()
        for end in self._ends:
            os.close(end)
        self._running, self._ends = [], []


def main(folder: str) -> None:
    """Draw the pages whose names come in."""
    leave_at_once()
    with importing():
        import_module("service.report.trial_pictures")  # what takes seconds, before a page is wanted
    while name := os.read(sys.stdin.fileno(), NAMED):
        trial, _, kind = name.decode().strip().partition(":")
        with suppress(Exception):
            LeaderPage(int(trial), "page" if kind == "page" else "probes").draw(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
