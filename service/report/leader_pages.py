"""Pages of leading trials, drawn from what lies in a sweep's folder, and how long that takes."""

import os
from typing import Literal, NamedTuple

from service.config.sweep import data_for
from service.record.schema import values_of
from service.results.sweep import Sweep
from service.storage.paths import StoragePath

MOST_PROCESSES = 4
START_SECONDS, PAGE_SECONDS, FIGURES_SECONDS = 3.0, 1.5, 4.0
"""Processor time until a process can draw, of a page with its probes, and of the figures of the sweep."""


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


def processes_at_most() -> int:
    """How many draw at a time: one a core that this process may use, and not more than MOST_PROCESSES."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def ending_seconds(pages: int) -> float:
    """About how long all takes that is drawn when the last trial is over, by the number of leading trials."""
    processes = max(1, min(processes_at_most(), pages))
    return START_SECONDS + (pages * PAGE_SECONDS + FIGURES_SECONDS) / processes
