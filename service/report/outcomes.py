"""Outcomes of a sweep along its axis."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from service.figures.curves import draw_curves
from service.report.intervals import LEAST, along, pooled_where_thin
from service.report.items import Plot
from service.report.labels import label, short, spans_decades
from service.report.sweep_data import FEW, SweepData

INTERVALS = (
    "Bars: 95 % intervals (bootstrap) over trials where a place has several, else over the replicates of "
    f"its one trial; none where there are less than {LEAST}."
)
SIDE_BY_SIDE = "side_by_side"
"""The axis of groups that nothing else tells apart: all trials stand at one place of it."""


def groups_of(sweep_data: SweepData) -> list[str]:
    """All groups, in the order of their colours."""
    return sorted(sweep_data.trials["group"].unique())


def log_columns(sweep_data: SweepData, columns: Sequence[str]) -> list[str]:
    """Columns of `trials` that a logarithmic axis shows better."""
    trials = sweep_data.trials
    numbers = [c for c in columns if pd.api.types.is_numeric_dtype(trials[c]) and trials[c].notna().any()]
    return [c for c in numbers if spans_decades(trials[c].dropna().to_numpy(float))]


def draw_outcomes(
    sweep_data: SweepData, outcomes: Sequence[str], networks: pd.DataFrame | None = None
) -> Plot | str:
    """Outcomes of the networks along the axis of the sweep; without an axis its groups side by side.

    networks: the networks of the sweep with more columns, if outcomes are among these.
    """
    known = sweep_data.networks if networks is None else networks
    groups, x = groups_of(sweep_data), sweep_data.x
    if x is None and len(groups) < 2:
        return "no searched field with few values, nor a number, differs between complete trials"
    if x is None:
        x, known = SIDE_BY_SIDE, known.assign(**{SIDE_BY_SIDE: 0.0})
    pooled = pooled_where_thin(known, x)
    means = along(pooled, x, outcomes)
    values = np.unique(known[x].dropna().to_numpy(float))
    ticks = values.tolist() if len(values) <= FEW else None
    points = known.groupby(["group", "trial"], as_index=False)[[x, *outcomes]].mean()
    figure = draw_curves(means, points, x, outcomes, groups, label, spans_decades(values), ticks)
    if x == SIDE_BY_SIDE:
        for axes in figure.axes:
            axes.set(xticks=[], xlabel="")
    by = " and ".join(short(field) for field in sweep_data.grouped_by)
    if ticks is not None:
        return Plot(figure, means, f"Means{f', by {by}' if by else ''}. {INTERVALS}")
    over = " Each dot is a trial; lines join means over ranges with as many trials each."
    if by and pooled is not known:
        whose = f"Means over all trials, for some values of {by} have too few; dots are coloured by {by}."
    else:
        whose = f"Means{f', by {by}' if by else ''}."
    return Plot(figure, means, f"{whose} {INTERVALS}{over}")
