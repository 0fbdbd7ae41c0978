"""Metrics in the rows of the tables, by epoch and by trial."""

import statistics
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Metrics = Mapping[str, tuple[float, float | None]]
"""Mean over replicates and its standard error (None for one replicate), by metric."""


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


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that is over."""

    row: Mapping[str, Any]
    """Its row in `trials`."""
    metrics: Metrics
    """The metrics in that row."""
    neurons: pa.Table | None = None
    """Its rows in `neurons`; None where they are not at hand."""

    @property
    def trial(self) -> int:
        """The number of the trial."""
        return int(self.row["trial"])

    @property
    def means(self) -> dict[str, float]:
        """Mean over replicates by metric."""
        return {name: mean for name, (mean, _) in self.metrics.items()}


def finished_trial(
    row: Mapping[str, Any], names: Iterable[str], neurons: pa.Table | None = None
) -> FinishedTrial:
    """A trial as its row in `trials` has it, with those of the metrics `names` that it has a value of."""
    metrics = {name: (row[name], row.get(f"{name}_sem")) for name in names if row.get(name) is not None}
    return FinishedTrial(row, metrics, neurons)


def reported_means(rows: pa.Table, names: Sequence[str]) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Trial, epoch and means over replicates of each report in rows of `epochs`, in the order of the record.

    The means are those of `summarize`, to the digit; a metric that was not reported is left out.
    """
    columns = [rows[name].to_pylist() for name in ("trial", "epoch", *names)]
    reports = groupby(zip(*columns, strict=True), key=lambda row: row[:2])
    for (trial, epoch), replicates in reports:
        values = zip(*(row[2:] for row in replicates), strict=True)
        known = {name: one for name, one in zip(names, values, strict=True) if None not in one}
        yield trial, epoch, {name: sum(one) / len(one) for name, one in known.items()}


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
