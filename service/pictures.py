"""The pictures of a trial, from its networks and its rows in `neurons`. Replicate 0 stands for all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model import Cohort
from model.checkpoint import unpack
from service.figures.cloud import Array, Cloud
from service.figures.cloud_html import positions_html
from service.figures.cloud_png import positions_png
from service.figures.delays import delays_png
from service.files import network_file


def stills(folder: Path, sweep: str, trial: int, neurons: pa.Table | None) -> Callable[[], dict[str, bytes]]:
    """Makes `positions.png` (if there are positions) and `delays.png` of a trial when called."""

    def draw() -> dict[str, bytes]:
        net = _network(folder, trial)
        if net is None:
            return {}
        title = f"{sweep}, trial {trial}, replicate 0 of {net.replicates}"
        weights, mask = net.w_rec[0].detach().numpy(), net.mask[0].numpy()
        drawn = {"delays.png": delays_png(net.delays()[0].detach().numpy(), weights, mask, title)}
        cloud = _cloud(net, neurons, title)
        return drawn if cloud is None else drawn | {"positions.png": positions_png(cloud)}

    return draw


def page(folder: Path, sweep: str, trial: int, neurons: pa.Table) -> Callable[[], dict[str, bytes]]:
    """Makes `positions.html`, with the positions over time, when called; nothing without positions."""

    def draw() -> dict[str, bytes]:
        net = _network(folder, trial)
        cloud = net and _cloud(net, neurons, f"{sweep}, trial {trial}, replicate 0 of {net.replicates}")
        if not cloud:
            return {}
        return {"positions.html": positions_html(cloud, _snapshots(neurons)).encode()}

    return draw


def _network(folder: Path, trial: int) -> Cohort | None:
    path = network_file(folder, trial)
    return unpack(path.read_bytes())[0] if path.is_file() else None


def _cloud(net: Cohort, neurons: pa.Table | None, title: str) -> Cloud | None:
    """The networks' replicate 0 in space, coloured by what `neurons` has on it, if anything."""
    if not net.has_positions:
        return None
    positions, weights = net.positions[0].detach().numpy(), net.w_rec[0].detach().numpy()
    if neurons is None or not len(neurons):
        return Cloud(positions, weights, np.zeros(len(positions)), title)
    rows = _at(neurons, pc.max(neurons["epoch"]).as_py())
    return Cloud(
        positions,
        weights,
        rows["rate"].to_numpy(),
        title,
        module=rows["module"].to_numpy(),
        preferred_class=rows["preferred_class"].fill_null(-1).to_numpy(),
    )


def _snapshots(neurons: pa.Table) -> list[tuple[int, Array]]:
    epochs = sorted(set(neurons["epoch"].to_pylist()))
    return [(epoch, np.array(_at(neurons, epoch)["position"].to_pylist())) for epoch in epochs]


def _at(neurons: pa.Table, epoch: int) -> pa.Table:
    """The rows of replicate 0 at an epoch, in the order of the neurons."""
    here = (pc.field("epoch") == epoch) & (pc.field("replicate") == 0)
    return neurons.filter(here).sort_by("neuron")
