"""Metrics in the rows of the tables, by epoch and by trial."""

import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
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


def metrics_of(row: Mapping[str, Any]) -> dict[str, tuple[float, float | None]]:
    """The metrics in a row of `trials`."""
    return {
        name.removesuffix("_sem"): (row[name.removesuffix("_sem")], sem)
        for name, sem in row.items()
        if name.endswith("_sem") and row.get(name.removesuffix("_sem")) is not None
    }


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
