"""Tells the MLflow view what happens in a sweep, with the pictures of each trial.

What draws is imported by what draws first, while trials run: no first epoch waits for matplotlib and plotly.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa

from service.config.sweep import SweepSpec
from service.record.leaders import PROBED, shown_trials
from service.record.record import Record
from service.record.rows import FinishedTrial, Metrics
from service.report.leader_pages import LeaderPage
from service.report.page_processes import PageProcesses
from service.results.sweep import Sweep
from service.storage.paths import StoragePath
from service.tracking.drawing import Artifacts, Drawer, made
from service.tracking.view import MlflowView

LOOK_SECONDS = 0.2


class MlflowListener:
    """A listener that shows in MLflow what happens, and at the end what the sweep has found."""

    def __init__(self, view: MlflowView, spec: SweepSpec, record: Record, folder: StoragePath) -> None:
        """Args: the view; the sweep; its results; its folder, for networks and pictures."""
        self._view, self._spec, self._record, self._folder = view, spec, record, folder
        self._drawer, self._processes = Drawer(), PageProcesses(folder)
        self._pages: _Pages | None = None  # those that are being drawn

    def finished_trials(self, patience: float) -> set[int] | None:
        """Trials that MLflow has in full; see `MlflowView`."""
        return self._view.finished_trials(patience)

    def close(self, state: str, progress: Callable[[int], object] | None = None) -> int:
        """The sweep ends, in `state`; returns how much MLflow was not told. See `MlflowView`.

        Ctrl-C meanwhile skips the pictures that are yet to be drawn; the next run of the sweep draws them.
        """
        at_once = True
        try:
            self._view.close(state, progress=progress)
            at_once = state == "cancelled"
        except KeyboardInterrupt:
            if state != "complete":
                raise
            self._view.skip(state)
        finally:
            self._processes.close()
            self._drawer.close(at_once=at_once)
        return self._view.lost

    def drawing(self) -> str:
        """What is being drawn, in words; nothing if all is drawn."""
        done, asked = self._drawer.done, self._drawer.asked
        if done == asked:
            return ""
        return _drawing(done, asked)

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """Make the run of a trial."""
        self._view.trial_started(trial, params)

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """Log its metrics."""
        self._view.epoch(trial, epoch, metrics)

    def trial_finished(self, finished: FinishedTrial) -> None:
        """End its run, with its pictures."""
        trial, row = finished.trial, finished.row
        drawn = self._drawn(trial, partial(_stills, self._folder, self._spec.name, trial, finished.neurons))
        # In `trials` the time is that of the whole trial, in MLflow that of the epoch, like all metrics.
        metrics = {name: values for name, values in finished.metrics.items() if name != "seconds"}
        self._view.trial_finished(trial, row["state"], row["reason"], row["epochs"], metrics, drawn, row)

    def worker_idle(self, running: int) -> None:
        """Use its core: what draws pages takes seconds to load. When no trial runs they are begun."""
        self._processes.start()
        if not running and self._pages is None:
            self._pages = self._begin_pages()

    def show_results(self, progress: Callable[[str], object]) -> None:
        """Add what was found: pages of the leading trials, and figures and tables to the sweep's own run.

        A leading trial has an interactive page, and the very best show what their networks do. No trial runs
        any more, so that all cores draw. `progress` is told in words how far that is. Ctrl-C meanwhile skips
        what is not drawn; the same command draws it later.
        """
        from service.tracking.overview import description, tables

        sweep = Sweep(self._folder)
        try:
            self._draw_results(sweep, progress)
        except KeyboardInterrupt:
            pass
        finally:
            self._processes.close()
            self._pages = None
        self._view.add_to_sweep(lambda: tables(sweep))
        self._view.note(description(sweep))

    def _draw_results(self, sweep: Sweep, progress: Callable[[str], object]) -> None:
        """Draw the figures of the sweep here, and the pages in other processes where there are cores."""
        from service.tracking.overview import figures

        pages, missing, drawn_elsewhere = self._pages or self._begin_pages()
        if drawn_elsewhere:
            progress(_drawing(0, len(missing)))
        drawn = made(lambda: figures(sweep), "the sweep")  # not in the drawer: that can take a minute
        self._view.add_to_sweep(lambda: drawn)
        interactive = {one.trial for one in pages if one.kind == "probes"}
        while drawn_elsewhere and self._processes.at_work:
            pages = self._shown_if_drawn(pages, interactive)
            progress(_drawing(sum(one.is_drawn(self._folder) for one in missing), len(missing)))
            time.sleep(LOOK_SECONDS)
        for one in self._shown_if_drawn(pages, interactive):
            self._view.add_artifacts(one.trial, self._drawn(one.trial, self._files(one, interactive)))

    def _begin_pages(self) -> "_Pages":
        """Have the pages of leading trials drawn by other processes, where there are cores for them."""
        self._record.flush()
        pages = self._pages_of_leaders()
        missing = [one for one in pages if not one.is_drawn(self._folder)]
        return _Pages(pages, missing, self._processes.draw(missing))

    def _shown_if_drawn(self, pages: list[LeaderPage], interactive: set[int]) -> list[LeaderPage]:
        """Show those of the pages that are drawn; returns the others."""
        drawn = [one for one in pages if one.is_drawn(self._folder)]
        for one in drawn:
            self._view.add_artifacts(one.trial, self._files(one, interactive))
        return [one for one in pages if one not in drawn]

    def _files(self, page: LeaderPage, interactive: set[int]) -> Artifacts:
        """What makes the files of a page, as MLflow shows them."""
        return partial(_in_mlflow, partial(page.draw, self._folder), page.trial in interactive)

    def _pages_of_leaders(self) -> list[LeaderPage]:
        """What is drawn of the leading trials, the best first."""
        rows = self._record.rows("trials").to_pylist()
        known = set(self._record.rows("neurons")["trial"].to_pylist())
        leading = shown_trials(rows, self._spec.objectives, self._spec.constraints)
        shown = [trial for trial in leading if trial in known]
        pages = [[LeaderPage(trial, "page"), LeaderPage(trial, "probes")] for trial in shown[:PROBED]]
        return [*chain(*pages), *(LeaderPage(trial, "page") for trial in shown[PROBED:])]

    def _drawn(self, trial: int, files: Artifacts) -> Artifacts:
        return self._drawer.draw(files, f"trial {trial}")


class _Pages(NamedTuple):
    """Pages of leading trials: all, those that were not drawn yet, and whether other processes draw these."""

    shown: list[LeaderPage]
    missing: list[LeaderPage]
    elsewhere: bool


def _stills(
    folder: StoragePath, name: str, trial: int, neurons: pa.Table | None
) -> Mapping[str, bytes | StoragePath]:
    """The still pictures of a trial. What `show_results` needs is loaded, too: at the end one would wait."""
    from service.report.importance import load_forests
    from service.report.trial_pictures import stills
    from service.tracking import overview as _  # noqa: F401

    load_forests()
    return stills(folder, name, trial, neurons)()


def _drawing(done: int, asked: int) -> str:
    """How far the drawing is, and what can be done about it."""
    return (
        f"drawing {min(done + 1, asked)} of {asked} pages (ctrl-C skips; the same command draws them later)"
    )


def _in_mlflow(files: Artifacts, interactive: bool) -> Mapping[str, bytes | StoragePath]:
    """The files as MLflow shows them: its pages can't look at other files, so the library is within.

    That is 4.7 MB a page, so only those of the very best are `interactive`; of the others there is none.
    """
    from service.figures.cloud_html import alone
    from service.report.trial_pictures import PAGE

    shown = dict(files())
    found = shown.pop(PAGE, None)
    if interactive and isinstance(found, StoragePath):
        shown[PAGE] = alone(found.read_bytes())
    return shown
