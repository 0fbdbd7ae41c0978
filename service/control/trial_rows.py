"""From reports to rows of the tables, and back."""

import hashlib
import json
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from service.config.sweep import SweepSpec
from service.control.running_trial import Metrics, Running
from service.record.schema import column_of
from service.version import code_version
from service.worker.trial import Report, Task


def summarize(metrics: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float | None]]:
    """Mean and standard error over replicates.

    >>> summarize({"loss": [1.0, 3.0], "rate": [2.0]})
    {'loss': (2.0, 1.0), 'rate': (2.0, None)}
    """
    found: dict[str, tuple[float, float | None]] = {}
    for name, values in metrics.items():
        mean = sum(values) / len(values)
        sem = None
        if len(values) > 1:
            sem = statistics.stdev(values) / sqrt(len(values)) if isfinite(mean) else mean
        found[name] = (mean, sem)
    return found


def metrics_of(row: Mapping[str, Any]) -> dict[str, tuple[float, float | None]]:
    """The metrics in a row of `trials`."""
    return {
        name.removesuffix("_sem"): (row[name.removesuffix("_sem")], sem)
        for name, sem in row.items()
        if name.endswith("_sem") and row.get(name.removesuffix("_sem")) is not None
    }


def params_of(task: Task) -> dict[str, Any]:
    """All that a trial is given."""
    data = {f"data.{name}": value for name, value in asdict(task.data).items()}
    return asdict(task.learner) | data | {"seed": task.seed}


def row_of(spec: SweepSpec, running: Running, state: str, reason: str | None, epoch: int) -> dict[str, Any]:
    """The row in `trials` of a trial that has run for `epoch` epochs."""
    begun, task = running.begun, running.task
    row = searched(spec, begun.suggestion.values)
    for name in running.latest.keys() - set(spec.changing):  # `trials` has a field as it was given
        mean, sem = running.latest[name]
        row |= {name: mean, f"{name}_sem": sem}
    config = {"learner": asdict(task.learner), "data": asdict(task.data)}
    return row | {
        "trial": task.trial,
        "state": state,
        "reason": reason,
        "parent": begun.parent,
        "move": begun.move,
        "replicates": task.learner.replicates,
        "epochs": epoch,
        "seconds": running.seconds,
        "seconds_sem": None,
        "sweep": spec.name,
        "seed": task.seed,
        "config_hash": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "code_version": code_version(),
        "environment": running.environment,
        **asdict(running.origin),
        "cpu_seconds": running.cpu_seconds,
        "gpu_seconds": running.seconds * spec.resources.gpus,
    }


def row_of_none(spec: SweepSpec, trial: int, values: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The row in `trials` of a trial that can't be run at all."""
    return searched(spec, values) | {
        "trial": trial,
        "state": "failed",
        "reason": reason,
        "epochs": 0,
        "seconds": 0.0,
        "sweep": spec.name,
        "code_version": code_version(),
        "cpu_seconds": 0.0,
        "gpu_seconds": 0.0,
    }


def searched(spec: SweepSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the searched fields, from values by path."""
    return {column_of(f.path): values.get(f.path) for f in spec.space.fields}


def epoch_rows(report: Report) -> list[dict[str, Any]]:
    """Rows of `epochs`, one a replicate."""
    replicates = len(next(iter(report.metrics.values()), ()))
    return [
        {"trial": report.trial, "replicate": r, "epoch": report.epoch}
        | {name: values[r] for name, values in report.metrics.items()}
        for r in range(replicates)
    ]


def measured(report: Report, names: Sequence[str]) -> dict[str, list[float]]:
    """Measures of the trained networks, one a replicate, by the last report; NaN where not defined."""
    if not (report.done and names):
        return {}
    topology = report.tables["topology"]
    now = topology.filter(pc.field("epoch") == report.epoch).sort_by("replicate")
    return {name: [nan if one is None else one for one in now[name].to_pylist()] for name in names}


def by_epoch(rows: pa.Table) -> Iterator[tuple[int, Metrics]]:
    """The metrics of one trial's rows of `epochs`, epoch by epoch."""
    names = [name for name in rows.column_names if name not in ("trial", "replicate", "epoch")]
    for epoch in sorted(set(rows["epoch"].to_pylist())):
        now = rows.filter(pc.field("epoch") == epoch)
        values = {name: now[name].drop_null().to_pylist() for name in names}
        yield epoch, summarize({name: known for name, known in values.items() if known})


def by_trial(rows: pa.Table, trials: Collection[int]) -> dict[int, pa.Table]:
    """The rows of each of the `trials`, in their order; a trial without rows has none."""
    chosen = rows.filter(pc.is_in(rows["trial"], pa.array(list(trials), pa.int64())))
    number = chosen["trial"].to_numpy()
    chosen = chosen.take(np.argsort(number, kind="stable"))
    found, starts, counts = np.unique(np.sort(number), return_index=True, return_counts=True)
    slices = {
        int(n): chosen.slice(start, count) for n, start, count in zip(found, starts, counts, strict=True)
    }
    return {trial: slices.get(trial, chosen.slice(0, 0)) for trial in trials}
