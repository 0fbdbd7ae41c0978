"""The pictures of a trial, from its networks and its rows in `neurons`. Replicate 0 stands for all.

All are kept in the sweep's folder, below `pictures/`; what is there is not drawn again.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model import Cohort, SpikeDataset
from model.analysis.pruning import ORDERS, SHARES, pruning_curve
from model.analysis.recording import hidden_spikes
from model.datasets import DataConfig
from model.network.checkpoint import unpack
from model.topology import preferred_channel, preferred_time
from service.figures.cloud import Array, Cloud
from service.figures.cloud_html import LIBRARY, library, positions_html
from service.figures.cloud_png import positions_png
from service.figures.connectivity import connectivity_png
from service.figures.delays import delays_png
from service.figures.movement import movement_gif
from service.figures.pruning import draw_pruning
from service.figures.raster import Raster, draw_raster
from service.figures.style import png
from service.report.held_out import held_out
from service.report.pruned import pruning_csv
from service.storage.atomic import write_whole
from service.storage.layout import LAST_STILL, network_file, pictures_folder, pictures_of_all
from service.storage.paths import StoragePath

VIEWS = ("module", "channel", "time")
"""Ways to colour the still pictures of a leading trial, beside that of every trial."""

PAGE, LAST_OF_PAGE, LAST_PROBE = "positions.html", "connectivity.png", "pruning.csv"
"""The interactive picture; and what is drawn last: where it is, the others of its kind are."""

Draw = Callable[[], dict[str, StoragePath]]
"""Makes files, by name, when called; they lie in the sweep's folder."""


def stills(folder: StoragePath, sweep: str, trial: int, neurons: pa.Table | None) -> Draw:
    """The pictures of every trial: `positions.png` (if there are positions) and `delays.png`."""

    def draw(net: Cohort) -> dict[str, bytes]:
        title = _title(sweep, trial, net)
        weights, mask = net.w_rec[0].detach().numpy(), net.mask[0].numpy()
        cloud = _cloud(net, _last(neurons), title)
        drawn = {} if cloud is None else {"positions.png": positions_png(cloud)}
        return drawn | {LAST_STILL: delays_png(net.delays()[0].detach().numpy(), weights, mask, title)}

    return _kept(folder, trial, ("positions.png", LAST_STILL), draw)


def page(folder: StoragePath, sweep: str, trial: int, neurons: pa.Table) -> Draw:
    """The page of a leading trial: `connectivity.png`; with positions `movement.gif` and `positions.html`,
    which has a slider over time. The library that draws such pages lies once, beside the trials' folders.
    """

    def draw(net: Cohort) -> dict[str, bytes]:
        rows, title = _last(neurons), _title(sweep, trial, net)
        weights, mask = net.w_rec[0].detach().numpy(), net.mask[0].numpy()
        module = None if rows is None else rows["module"].to_numpy()
        drawn = {LAST_OF_PAGE: connectivity_png(weights, mask, module, title)}
        cloud = _cloud(net, rows, title)
        if cloud is None:
            return drawn
        snapshots = _snapshots(neurons)
        if len(snapshots) > 1 and net.positions.requires_grad:
            drawn["movement.gif"] = movement_gif(cloud, snapshots)
        shared = pictures_of_all(folder) / LIBRARY
        if not shared.is_file():
            write_whole(shared, library())
        return drawn | {PAGE: positions_html(cloud, snapshots, f"../{LIBRARY}").encode()}

    return _kept(folder, trial, ("movement.gif", PAGE, LAST_OF_PAGE), draw)


def probes(folder: StoragePath, sweep: str, trial: int, neurons: pa.Table, data: DataConfig) -> Draw:
    """What the networks of a leading trial do with up to SAMPLES held-out samples, shown to them once more.

    `raster.png`, `pruning.png` with its data `pruning.csv`, and with positions `positions_module.png`,
    `positions_channel.png` and `positions_time.png`.
    """

    def draw(net: Cohort) -> dict[str, bytes]:
        name, shown = held_out(data)
        title = _title(sweep, trial, net)
        hidden = hidden_spikes(net, shown, np.arange(len(shown)))[0]
        cloud = _cloud(net, _last(neurons), title, preferred_channel(shown, hidden), preferred_time(hidden))
        views = {} if cloud is None else {f"positions_{v}.png": positions_png(cloud, v) for v in VIEWS}
        curves: dict[str, Array] = {by: pruning_curve(net, shown, by) for by in ORDERS}
        samples = f"{len(shown)} samples of the {name} set"
        return views | {
            "raster.png": png(draw_raster(_raster(net, shown, hidden, f"{title}; class {shown.labels[0]}"))),
            "pruning.png": png(draw_pruning(curves, SHARES, f"{sweep}, trial {trial}", samples)),
            LAST_PROBE: pruning_csv(curves),
        }

    names = (*(f"positions_{view}.png" for view in VIEWS), "raster.png", "pruning.png", LAST_PROBE)
    return _kept(folder, trial, names, draw)


def is_drawn(folder: StoragePath, trial: int, last: str) -> bool:
    """Whether the pictures of a trial are there of which `last` is the last."""
    return (pictures_folder(folder, trial) / last).is_file()


def _kept(
    folder: StoragePath, trial: int, names: tuple[str, ...], draw: Callable[[Cohort], Mapping[str, bytes]]
) -> Draw:
    """The files `names` that `draw` makes of the networks; what is in the sweep's folder is taken from there.

    The last of the names is written last: where it is, the others are.
    """

    def files() -> dict[str, StoragePath]:
        kept, network = pictures_folder(folder, trial), network_file(folder, trial)
        if not is_drawn(folder, trial, names[-1]):
            drawn = draw(unpack(network.read_bytes())[0]) if network.is_file() else {}
            for name in names:
                if name in drawn:
                    write_whole(kept / name, drawn[name])
        return {name: kept / name for name in names if (kept / name).is_file()}

    return files


def _title(sweep: str, trial: int, net: Cohort) -> str:
    return f"{sweep}, trial {trial}, replicate 0 of {net.replicates}"


def _cloud(
    net: Cohort,
    rows: pa.Table | None,
    title: str,
    channel: Array | None = None,
    time: Array | None = None,
) -> Cloud | None:
    """Replicate 0 in space, coloured by what is known of its neurons; None without positions."""
    if not net.has_positions:
        return None
    positions, weights = net.positions[0].detach().numpy(), net.w_rec[0].detach().numpy()
    if rows is None:
        return Cloud(positions, weights, np.zeros(len(positions)), title, layer=_layers(net))
    return Cloud(
        positions,
        weights,
        rows["rate"].to_numpy(),
        title,
        layer=_layers(net),
        module=rows["module"].to_numpy(),
        preferred_class=rows["preferred_class"].fill_null(-1).to_numpy(),
        preferred_channel=channel,
        preferred_time=time,
    )


def _layers(net: Cohort) -> Array | None:
    """The layer of each neuron [N]; None of a single one."""
    return net.layers.numbers if len(net.layers.sizes) > 1 else None


def _last(neurons: pa.Table | None) -> pa.Table | None:
    """The latest rows of replicate 0, if there are any."""
    if neurons is None or not len(neurons):
        return None
    return _at(neurons, pc.max(neurons["epoch"]).as_py())


def _snapshots(neurons: pa.Table) -> list[tuple[int, Array]]:
    epochs = sorted(set(neurons["epoch"].to_pylist()))
    return [(epoch, np.array(_at(neurons, epoch)["position"].to_pylist())) for epoch in epochs]


def _at(neurons: pa.Table, epoch: int) -> pa.Table:
    """The rows of replicate 0 at an epoch, in the order of the neurons."""
    here = (pc.field("epoch") == epoch) & (pc.field("replicate") == 0)
    return neurons.filter(here).sort_by("neuron")


def _raster(net: Cohort, shown: SpikeDataset, hidden: SpikeDataset, title: str) -> Raster:
    """The first sample."""
    config, in_space = net.config, net.has_positions
    scale = net.delay_scale()
    return Raster(
        input_times=shown.times[0],
        input_channels=shown.channels[0],
        times=hidden.times[0],
        neurons=hidden.channels[0],
        duration=config.steps * config.dt,
        title=title,
        positions=net.positions[0].detach().numpy() if in_space else None,
        delay_floor=config.delay_floor,
        delay_scale=scale if isinstance(scale, float) else scale[0].item(),
    )
