"""A network to begin training with: its delays, and where they are given its weights, synapses and places."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from model.arrays import Array, Floats
from model.border import kinds_checked
from model.config import LearnerConfig
from model.exchange.arrays import ForeignError, read_arrays, real, square
from model.exchange.sonata import read_sonata
from model.layers import as_text
from model.network.cohort import Cohort


@dataclass(frozen=True, eq=False)
class Start:
    """The recurrent part of a network of N neurons that training begins with."""

    path: str
    delays: Floats
    """[N, N] (ms), presynaptic neuron first; only those of synapses count."""
    mask: Array
    """Which synapses exist [N, N] (bool); none onto the neuron itself."""
    w_rec: Floats | None = None
    """Weights [N, N]; None: they are drawn."""
    positions: Floats | None = None
    """[N, D] (units of space); None: places are found by the delays."""


@kinds_checked
def read_start(path: str | Path) -> Start:
    """What is at `path`: a .npz file, or the configuration (.json) of a circuit in SONATA.

    The .npz file has `delays` [N, N] (ms), and may have `w_rec` [N, N], `mask` [N, N] and `positions`
    [N, D]; other arrays are left alone. Self-connections are left out.

    Raises ForeignError if the file cannot be used.
    """
    place = Path(path)
    if place.suffix == ".json":
        arrays = read_sonata(place)
    elif place.suffix == ".npz":
        arrays = read_arrays(place)
    else:
        raise ForeignError(
            f"{place}: expected a .npz file with `delays`, or the .json of a circuit in SONATA"
        )
    if "delays" not in arrays:
        raise ForeignError(f"{place}: has no array `delays`, but {', '.join(arrays) or 'none at all'}")
    delays = square(arrays["delays"], f"{place}: `delays`")
    n = len(delays)
    mask = ~np.eye(n, dtype=bool)
    if "mask" in arrays:
        given = arrays["mask"]
        if given.shape != (n, n) or given.dtype.kind not in "biu":
            got = f"{list(given.shape)} of {given.dtype}"
            raise ForeignError(f"{place}: `mask`: got {got}, expected {[n, n]} of true and false")
        mask &= given.astype(bool)
    positions = real(arrays["positions"], f"{place}: `positions`") if "positions" in arrays else None
    if positions is not None and (positions.ndim != 2 or len(positions) != n):
        raise ForeignError(f"{place}: `positions`: got shape {list(positions.shape)}, expected [{n}, D]")
    w_rec = square(arrays["w_rec"], f"{place}: `w_rec`", n) if "w_rec" in arrays else None
    return Start(str(place), delays, mask, w_rec, positions)


@kinds_checked
def start_fault(config: LearnerConfig) -> str | None:
    """Why networks of `config` cannot begin with its `start`, or None; also if it has none.

    Raises OSError if the file is gone meanwhile.
    """
    if config.start is None:
        return None
    try:
        start = _read(config.start, Path(config.start).stat().st_mtime_ns)
    except (ForeignError, OSError) as error:
        return str(error)
    return _misfit(start, config)


@kinds_checked
@torch.no_grad()
def begin_with(net: Cohort, start: Start) -> None:
    """Have every network of `net` begin with `start`; input weights and readouts stay as they were drawn.

    `free` and `axonal` delays are taken as they are. Neurons in space are put where `start` has them; without
    places there, where classical multidimensional scaling finds them: so that distances are as near as may be
    to those that the delays stand for, the mean of both directions.

    Raises ForeignError if it does not fit.
    """
    if fault := _misfit(start, net.config):
        raise ForeignError(fault)
    net.mask[:] = torch.from_numpy(start.mask)
    if start.w_rec is not None:
        net.w_rec[:] = torch.from_numpy(start.w_rec)
    net.w_rec.mul_(net.mask)
    if net.config.embedding == "free":
        # Also where there is no synapse there is a legal delay.
        net.free_delays[:] = torch.from_numpy(np.where(start.mask, start.delays, net.config.delay_floor))
    elif net.config.embedding == "axonal":
        late = np.where(start.mask, start.delays, 0).max(1)
        net.axonal_delays[:] = torch.from_numpy(np.maximum(late, net.config.delay_floor))
    else:
        places = _places(start, net.config) if start.positions is None else start.positions
        net.positions[:] = torch.from_numpy(places)
    net.project()
    net.settle()


def _misfit(start: Start, config: LearnerConfig) -> str | None:
    """Why `config` and `start` do not go together, or None."""
    n, delays = len(start.delays), start.delays[start.mask]
    if config.neurons != n:
        return f"{start.path}: has {n} neurons, and `hidden` is {as_text(config.hidden)}; make them agree"
    if forbidden := int((start.mask & ~config.layers.synapses).sum()):
        return (
            f"{start.path}: has {forbidden} synapses that the layers {as_text(config.hidden)} of `hidden` do "
            "not allow; leave them out by `mask`, or change `hidden`, `recurrent` or `feedforward`"
        )
    if config.embedding in ("none", "shuffled"):
        return f"`embedding` {config.embedding} takes no start; use space, fixed, free or axonal"
    if config.embedding in ("space", "fixed"):
        known = start.positions
        if known is not None and known.shape[1] != config.dimensions:
            return (
                f"{start.path}: positions have {known.shape[1]} axes, and `dimensions` is {config.dimensions}"
            )
        return None
    if len(delays) and delays.min() < config.delay_floor:
        return (
            f"{start.path}: has delays down to {delays.min():g} ms, and the least delay is "
            f"{config.delay_floor:g} ms; lengthen them, or shorten `dt`"
        )
    late = np.where(start.mask, start.delays, np.nan)
    spread = [np.ptp(row[~np.isnan(row)]) for row in late if not np.isnan(row).all()]
    if config.embedding == "axonal" and max(spread, default=0.0) > 0:
        return f"{start.path}: a neuron's synapses have several delays, and `axonal` knows one; use free"
    return None


def _places(start: Start, config: LearnerConfig) -> Floats:
    """Places [N, D] by classical multidimensional scaling.

    Where only one direction has a synapse its delay stands for both; a pair with none is at mean distance.
    """
    length = np.maximum(start.delays - config.delay_floor, 0) / config.delay_scale
    both = start.mask.astype(float) + start.mask.T
    total = np.where(start.mask, length, 0)
    mean = length[start.mask].mean() if start.mask.any() else 1.0
    distances = np.where(both > 0, (total + total.T) / np.maximum(both, 1), mean)
    np.fill_diagonal(distances, 0)
    n = len(distances)
    centre = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centre @ distances**2 @ centre / 2)
    kept = np.zeros((n, config.dimensions))
    count = min(n, config.dimensions)
    kept[:, :count] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :count]
    return kept


@lru_cache(maxsize=4)
def _read(path: str, _changed: int) -> Start:
    """`read_start`, once as long as the file does not change: a sweep file asks at each of its corners."""
    return read_start(path)
