"""Tells the MLflow view what the conductor says, with the pictures of each trial."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from search import pareto_front
from service.conductor import Conductor, Metrics, metrics_of
from service.pictures import page, stills
from service.tracking.view import MlflowView

LEADERS = 20


class MlflowListener:
    """A listener of the conductor."""

    def __init__(self, view: MlflowView, folder: Path, sweep: str) -> None:
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
        self._view.trial_finished(trial, row["state"], row["reason"], row["epochs"], metrics, drawn)

    def show_leaders(self, conductor: Conductor) -> None:
        """Add an interactive page to the leading trials."""
        neurons = conductor.record.rows("neurons")
        for trial in leaders(conductor):
            rows = neurons.filter(pc.field("trial") == trial)
            if len(rows):
                self._view.add_artifacts(trial, page(self._folder, self._sweep, trial, rows))


def leaders(conductor: Conductor) -> list[int]:
    """Trials on the Pareto front, and the best by the first objective."""
    objectives = conductor.spec.objectives
    rows = conductor.record.rows("trials").filter(pc.field("state") == "complete")
    values = np.array([rows[objective.metric].to_numpy() for objective in objectives]).T
    if not len(rows):
        return []
    sign = -1 if objectives[0].goal == "max" else 1
    best = np.argsort(sign * values[:, 0], kind="stable")[:LEADERS]
    front = pareto_front(values, [objective.goal for objective in objectives])
    chosen = np.union1d(best, front)
    found: list[int] = rows["trial"].to_numpy()[chosen].tolist()
    return found
