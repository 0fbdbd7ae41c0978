"""Where neurons are, and how they got there: figures 1E and 4A."""

import numpy as np
import pandas as pd

from service.figures.cloud import Array
from service.figures.networks import draw_clouds, draw_epochs
from service.report.exemplars import Exemplar, places
from service.report.items import Plot
from service.report.paper.sources import CHOSEN, Sources

MOST_EPOCHS = 6
"""Snapshots that are shown, at most."""


def epochs(sources: Sources) -> Plot | str:
    """Figure 1E: the best network whose positions are learned, over the snapshots."""
    for one in sources.in_space:
        snapshots = _snapshots(one)
        if one.cloud is not None and one.net.positions.requires_grad and len(snapshots) > 1:
            figure = draw_epochs(one.cloud, snapshots)
            caption = (
                f"Trial {one.trial}, replicate 0, at epochs that are recorded; all on the same axes. "
                "Colour and shape: preferred class after training."
            )
            return Plot(figure, _rows(one.trial, snapshots), caption)
    return "no network with learned positions has two snapshots and is kept"


def clouds(sources: Sources) -> Plot | str:
    """Figure 4A: networks in space, by group and at the ends of the axis."""
    shown = [one.cloud for one in sources.exemplars if one.cloud is not None]
    if not shown:
        return "no trial with positions has its networks kept"
    caption = (
        f"{CHOSEN}; replicate 0. Colour and shape: preferred class; area: rate; lines: the strongest "
        "synapses, orange for w > 0 and purple for w < 0."
    )
    return Plot(draw_clouds(shown), places(sources.exemplars), caption)


def _snapshots(one: Exemplar) -> list[tuple[int, Array]]:
    """Epoch and positions [N, D] of up to MOST_EPOCHS snapshots, the first and the last among them."""
    known = one.neurons[one.neurons["position"].notna()]
    numbers = np.unique(known["epoch"])
    chosen = numbers[np.unique(np.linspace(0, len(numbers) - 1, MOST_EPOCHS).round().astype(int))]
    return [(int(e), np.array(known.loc[known["epoch"] == e, "position"].tolist())) for e in chosen]


def _rows(trial: int, snapshots: list[tuple[int, Array]]) -> pd.DataFrame:
    """A row a neuron, axis and snapshot: `trial`, `epoch`, `neuron`, `axis`, `position`."""
    parts = []
    for epoch, positions in snapshots:
        neuron, axis = np.indices(positions.shape).reshape(2, -1)
        row = {"trial": trial, "epoch": epoch, "neuron": neuron, "axis": axis, "position": positions.ravel()}
        parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True)
