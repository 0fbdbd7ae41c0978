"""Pages of leading trials, drawn from what lies in a sweep's folder, by this process or by several.

    python -m service.report.leader_pages FOLDER 17:page 17:probes 3:page

draws some of them; what is drawn stays in the folder. Several processes do so side by side when no trial
needs the cores any more.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from service.config.sweep import data_for
from service.record.schema import values_of
from service.results.sweep import Sweep
from service.storage.paths import StoragePath

MOST_PROCESSES = 4
START_SECONDS, PAGE_SECONDS, FIGURES_SECONDS = 4.0, 1.5, 4.0
"""Processor time until a process can draw, of a page with its probes, and of the figures of the sweep."""
LOOK_SECONDS = 0.2


class LeaderPage(NamedTuple):
    """Some pictures of a leading trial: its `page`, or the `probes` of what its networks do."""

    trial: int
    kind: Literal["page", "probes"]

    def is_drawn(self, folder: StoragePath) -> bool:
        """Whether it is in the sweep's folder."""
        # Here and below: to load what draws takes seconds, and whoever only counts pages should not wait.
        from service.report.trial_pictures import LAST_OF_PAGE, LAST_PROBE, is_drawn

        return is_drawn(folder, self.trial, LAST_OF_PAGE if self.kind == "page" else LAST_PROBE)

    def draw(self, folder: StoragePath) -> dict[str, StoragePath]:
        """Its files, by name; what is not there yet is drawn."""
        from service.report.trial_pictures import page, probes

        sweep = Sweep(folder)
        neurons = sweep.arrow("neurons", f"trial == {self.trial}")
        if self.kind == "page":
            return page(folder, sweep.name, self.trial, neurons)()
        row = sweep.arrow("trials", f"trial == {self.trial}").to_pylist()[0]
        data = data_for(sweep.spec, values_of(row, sweep.spec.space))
        return probes(folder, sweep.name, self.trial, neurons, data)()


def draw_side_by_side(folder: Path, pages: Sequence[LeaderPage], drawn: Callable[[int], object]) -> None:
    """Have pages drawn by processes of their own, and wait for them.

    What fails there is passed over: whoever asks for the page next draws it, and is told why it can't be.

    Args:
        folder: of the sweep.
        pages: what is to be drawn.
        drawn: told several times a second how many are.

    Raises KeyboardInterrupt, as whoever waits, when the processes are gone.
    """
    count = min(processes_at_most(), len(pages))
    running = [_started(folder, pages[first::count]) for first in range(count)]
    try:
        while any(one.poll() is None for one in running):
            drawn(sum(one.is_drawn(folder) for one in pages))
            time.sleep(LOOK_SECONDS)
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


def processes_at_most() -> int:
    """How many draw at a time: one a core that this process may use, and not more than MOST_PROCESSES."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def ending_seconds(pages: int) -> float:
    """About how long all takes that is drawn when the last trial is over, by the number of leading trials."""
    processes = max(1, min(processes_at_most(), pages))
    return START_SECONDS + (pages * PAGE_SECONDS + FIGURES_SECONDS) / processes


def _started(folder: Path, pages: Sequence[LeaderPage]) -> "subprocess.Popen[bytes]":
    """A process that draws pages one after the other, out of reach of the terminal's ctrl-C."""
    command = [sys.executable, "-m", __spec__.name, str(folder), *(f"{n}:{kind}" for n, kind in pages)]
    # It finds what this process finds, and does its small operations on one core.
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, env=os.environ | ours, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )


def main(folder: str, *pages: str) -> None:
    """Draw the pages that are named."""
    for name in pages:
        trial, _, kind = name.partition(":")
        with suppress(Exception):
            LeaderPage(int(trial), "page" if kind == "page" else "probes").draw(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
