"""Processes that draw pages of leading trials side by side, when no trial needs the cores any more.

One is started, and divides into others when it has loaded what draws. That takes seconds, so that it may be
started before it is known what there is to draw. All read the names of pages from one pipe, so that each
draws the next that nobody has begun; what is drawn stays in the sweep's folder.
"""

import os
import signal
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
        self._first: subprocess.Popen[bytes] | None = None
        self._names = -1  # where names of pages go in

    def start(self) -> None:
        """Start them, if there are cores for several and they are not there yet; they wait until `draw`."""
        count = processes_at_most()
        if self._first is not None or count < 2 or not isinstance(self._folder, Path):
            return
        names, self._names = os.pipe()
        # They find what this process finds, and do their small operations on one core.
        ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        quiet = subprocess.DEVNULL
        self._first = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(self._folder), str(count)],
            env=os.environ | ours,
            stdin=names,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )
        os.close(names)

    def draw(self, pages: Sequence[LeaderPage]) -> bool:
        """Have the pages drawn, in their order; before others are, they must be closed.

        Returns whether that is done. A single page is not, unless they are there already: this process draws
        it before they could.
        """
        if len(pages) > 1:
            self.start()
        if self._first is None or not pages:
            return False
        with suppress(BrokenPipeError):  # they have ended, whyever
            os.write(self._names, b"".join(f"{n}:{kind}".ljust(NAMED).encode() for n, kind in pages))
        self._hang_up()
        return True

    @property
    def at_work(self) -> bool:
        """Whether any of them still runs."""
        return self._first is not None and self._first.poll() is None

    def close(self) -> None:
        """End them, whatever they draw."""
        self._hang_up()
        if self._first is not None and self._first.poll() is None:
            os.killpg(self._first.pid, signal.SIGTERM)
            self._first.wait()
        self._first = None

    def _hang_up(self) -> None:
        if self._names >= 0:
            os.close(self._names)
            self._names = -1


def main(folder: str, count: str) -> None:
    """Draw the pages whose names come in, in `count` processes."""
    leave_at_once()
    with importing():
        import_module("service.report.trial_pictures")  # what takes seconds, before a page is wanted
    others: list[int] = []  # of the first process; those have none
    for _ in range(int(count) - 1):
        other = os.fork()
        if not other:
            others.clear()
            break
        others.append(other)
    while name := os.read(sys.stdin.fileno(), NAMED):
        trial, _, kind = name.decode().strip().partition(":")
        with suppress(Exception):
            LeaderPage(int(trial), "page" if kind == "page" else "probes").draw(Path(folder))
    for one in others:
        os.waitpid(one, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
