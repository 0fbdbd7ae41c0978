"""Networks as the code of the paper writes its checkpoints, one .npy file an array.

Source: Meszaros, Knight, Akarca, Nowotny, "Space as Time Through Neuron Position Learning", 2025, arXiv
2511.01632. Its code saves `EPOCH-Conn_Pop0_Pop1-g.npy` (input weights), `-Conn_Pop1_Pop1-g.npy` (recurrent
ones), `-Conn_Pop1_Pop2-g.npy` (the readout's), `-Conn_Pop1_Pop1-d.npy` (delays, in steps) and `-Pos0.npy`,
`-Pos1.npy` ... (positions, an axis a file); EPOCH is a number, or `best`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.arrays import Floats
from model.border import kinds_checked
from model.config import LearnerConfig
from model.exchange.arrays import ForeignError, read_array, square
from model.network.cohort import Cohort

SETTINGS = LearnerConfig(duration=1000.0, delay_scale=1.0, output_bias=False, position_range=1.0)
"""How the paper simulates its networks: steps of 1 ms, samples of a second, tau_mem 20 and tau_syn 5 ms."""
WEIGHTS = ("Conn_Pop0_Pop1-g", "Conn_Pop1_Pop1-g", "Conn_Pop1_Pop2-g")
DELAYS = "Conn_Pop1_Pop1-d"
ROUNDING = 1.0
"""Delays may be rounded, and distances not: so far apart (steps) they are still the same."""


@dataclass(frozen=True, eq=False)
class Published:
    """A network that was read, of N neurons, I inputs and O classes."""

    net: Cohort
    """A cohort of one."""
    epoch: str
    """The epoch of the checkpoint, as its files name it."""
    autapses: int
    """Self-connections of the checkpoint that are not 0; they are left out, as there are none here."""


@kinds_checked
def read_checkpoint(
    folder: str | Path, epoch: str | None = None, config: LearnerConfig = SETTINGS
) -> Published:
    """The network of one checkpoint of the paper's code.

    With positions its `embedding` is `space`, at a delay scale of one step per unit of space. With delays
    alone it is `axonal` where all synapses of a neuron share one, else `free`; without either it is `none`. A
    delay of d steps there is d + 1 here: in GeNN, which the paper uses, a spike without delay acts in the
    next step, and here the least delay, of one step, is what that takes. Distances are not rounded here.

    Args:
        folder: where the files are.
        epoch: what their names begin with; None: `best`, or else the highest number.
        config: step, duration and time constants; what the files tell is set by them.

    Raises ForeignError if a file is missing, not one of NumPy's, holds Python objects or numbers that are not
    finite, or if shapes do not fit.
    """
    place = Path(folder)
    epoch = _latest(place) if epoch is None else epoch
    read = _reader(place, epoch)
    w_rec = square(read(WEIGHTS[1]), str(_file(place, epoch, WEIGHTS[1])))
    n = len(w_rec)
    w_in = _matrix(read(WEIGHTS[0]), _file(place, epoch, WEIGHTS[0]), n, from_neurons=False)
    w_out = _matrix(read(WEIGHTS[2]), _file(place, epoch, WEIGHTS[2]), n, from_neurons=True)
    parts = _delays(place, epoch, n, config)
    config = replace(config, hidden=n, recurrent=True, min_delay=None, readout_windows=1, **parts.fields)
    net = Cohort(config, len(w_in), w_out.shape[1], [0])
    with torch.no_grad():
        values = {"w_in": w_in, "w_rec": w_rec * (1 - np.eye(n)), "w_out": w_out, **parts.values}
        for name, value in values.items():
            parameter = net.get_parameter(name)
            parameter.copy_(torch.from_numpy(value).to(parameter.dtype)[None])
        net.b_out.zero_()
    return Published(net, epoch, int((np.diagonal(w_rec) != 0).sum()))


@dataclass(frozen=True)
class _Delays:
    """Where the delays come from, as fields of a configuration and as parameters of a cohort."""

    fields: dict[str, Any]
    values: dict[str, Floats]


def _delays(place: Path, epoch: str, n: int, config: LearnerConfig) -> _Delays:
    positions = _positions(place, epoch, n)
    path = _file(place, epoch, DELAYS)
    steps = square(read_array(path), str(path), n) if path.is_file() else None
    if steps is not None and steps.min() < 0:
        raise ForeignError(f"{path}: has delays below 0, down to {steps.min():g}")
    if positions is not None:
        distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
        if steps is not None and np.abs(distances - steps).max() > ROUNDING:
            raise ForeignError(
                f"{path}: delays are up to {np.abs(distances - steps).max():.3g} steps off the distances of "
                f"{epoch}-Pos0.npy and so on; take the -Pos files away to import the delays as they are"
            )
        space = {"embedding": "space", "dimensions": positions.shape[1], "delay_scale": config.dt}
        return _Delays(space, {"positions": positions})
    if steps is None:
        return _Delays({"embedding": "none"}, {})
    late = (steps + 1) * config.dt
    others = late[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    if n > 1 and (others == others[:, :1]).all():
        return _Delays({"embedding": "axonal"}, {"axonal_delays": others[:, 0]})
    return _Delays({"embedding": "free"}, {"free_delays": late})


def _positions(place: Path, epoch: str, n: int) -> Floats | None:
    """Positions [N, D], or None if there are none."""
    axes: list[Floats] = []
    while (path := _file(place, epoch, f"Pos{len(axes)}")).exists():
        axis = read_array(path)
        if axis.shape != (n,):
            raise ForeignError(f"{path}: got shape {list(axis.shape)}, expected {[n]}, as many as neurons")
        axes.append(axis)
    known = {_file(place, epoch, f"Pos{k}") for k in range(len(axes))}
    if later := set(place.glob(f"{epoch}-Pos*.npy")) - known:
        raise ForeignError(f"{min(later)}: axes are numbered from 0, and {path.name} is missing")
    return np.stack(axes, 1) if axes else None


def _reader(place: Path, epoch: str) -> Callable[[str], Floats]:
    return lambda name: read_array(_file(place, epoch, name))


def _file(place: Path, epoch: str, name: str) -> Path:
    return place / f"{epoch}-{name}.npy"


def _matrix(found: Floats, where: Path, n: int, from_neurons: bool) -> Floats:
    """Weights from or to N neurons, [N, O] or [I, N], also if they are flat."""
    axis = 0 if from_neurons else -1
    shape = f"[{n}, O]" if from_neurons else f"[I, {n}]"
    fits = found.size > 0 and found.size % n == 0
    if not fits or not (found.ndim == 1 or (found.ndim == 2 and found.shape[axis] == n)):
        raise ForeignError(f"{where}: got shape {list(found.shape)}, expected {shape}, also flat")
    return found.reshape((n, -1) if from_neurons else (-1, n))


def _latest(place: Path) -> str:
    """The epoch to be read where none is named."""
    if not place.is_dir():
        raise ForeignError(f"{place}: there is no such folder")
    found = [re.fullmatch(rf"(\d+|best)-{WEIGHTS[1]}\.npy", path.name) for path in place.iterdir()]
    epochs = [match[1] for match in found if match]
    if not epochs:
        raise ForeignError(
            f"{place}: there is no checkpoint: no file EPOCH-{WEIGHTS[1]}.npy, EPOCH a number or `best`"
        )
    return "best" if "best" in epochs else max(epochs, key=int)
