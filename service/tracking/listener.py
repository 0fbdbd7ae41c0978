"""Tells the MLflow view what the controller says, with the pictures of each trial."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from search import pareto_front
from service.config.sweep import data_for
from service.control.controller import SweepController
from service.record.leaders import SHOWN, counted_trials
from service.record.rows import Metrics, by_trial, metrics_of
from service.record.schema import values_of
from service.report.trial_pictures import page, probes, stills
from service.results.sweep import Sweep
from service.storage.paths import StoragePath
from service.tracking.overview import figures, tables
from service.tracking.view import MlflowView, made

PROBED = 5
"""Leading trials whose networks are run once more, for pictures of what they do."""


class MlflowListener:
    """A listener of the controller."""

    def __init__(self, view: MlflowView, folder: StoragePath, sweep: str) -> None:
        self._view, self._folder, self._sweep = view, folder, sweep

    def trial_started(self, trial: int, params: Mapping[str, Any]) -> None:
        """Make its run."""
        self._view.trial_started(trial, params)

    def epoch(self, trial: int, epoch: int, metrics: Metrics) -> None:
        """Log its metrics."""
        self._view.epoch(trial, epoch, metrics)

    def trial_finished(self, row: Mapping[str, Any], neurons: pa.Table | None) -> None:
        """End its run, with its pictures."""
        trial = row["trial"]
        drawn = stills(self._folder, self._sweep, trial, neurons)
        # In `trials` the time is that of the whole trial, in MLflow that of the epoch, like all metrics.
        metrics = {name: values for name, values in metrics_of(row).items() if name != "seconds"}
        self._view.trial_finished(trial, row["state"], row["reason"], row["epochs"], metrics, drawn, row)

    def show_leaders(self, controller: SweepController) -> None:
        """Add an interactive page to the leading trials, and to the very best what their networks do."""
        spec, of_trial = controller.spec, (self._folder, self._sweep)
        known = {row["trial"]: row for row in controller.record.rows("trials").to_pylist()}
        rows = by_trial(controller.record.rows("neurons"), leaders(controller))
        shown = {trial: neurons for trial, neurons in rows.items() if len(neurons)}
        for rank, (trial, neurons) in enumerate(shown.items()):
            self._view.add_artifacts(trial, page(*of_trial, trial, neurons))
            if rank < PROBED:
                data = data_for(spec, values_of(known[trial], spec.space))
                self._view.add_artifacts(trial, probes(*of_trial, trial, neurons, data))

    def show_sweep(self, controller: SweepController) -> None:
        """Add the figures on the search as a whole, and the tables, to the sweep's own run."""
        controller.record.flush()
        sweep = Sweep(self._folder)
        drawn = made(lambda: figures(sweep), "the sweep")  # here, for it can take a minute
        self._view.add_to_sweep(lambda: drawn)
        self._view.add_to_sweep(lambda: tables(sweep))


def leaders(controller: SweepController) -> list[int]:
    """Trials on the Pareto front and the best by the first objective; first the front, its best first."""
    objectives = controller.spec.objectives
    rows = counted_trials(controller.record.rows("trials").to_pylist())
    if not rows:
        return []
    values = np.array([[row[objective.metric] for objective in objectives] for row in rows], dtype=float)
    sign = -1 if objectives[0].goal == "max" else 1
    order = np.argsort(sign * values[:, 0], kind="stable")
    front = set(pareto_front(values, [objective.goal for objective in objectives]).tolist())
    chosen = [
        *(n for n in order.tolist() if n in front),
        *(n for n in order[:SHOWN].tolist() if n not in front),
    ]
    return [rows[n]["trial"] for n in chosen]
