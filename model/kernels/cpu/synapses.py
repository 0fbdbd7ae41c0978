"""Synapses with delays as the kernels read them: one run of targets per source of spikes."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.taus import TimeConstants
from model.kernels.scheme import gain

LANES = 16
"""Runs are padded to a multiple of so many synapses, the floats in the widest register, and begin on a cache
line: vectors need no remainder."""
LINE = 64
"""Bytes in a line of the cache."""
MOST_PAIRS = 2**31 - 1
"""Steps of the ring times neurons: places in it are numbers of 32 bits, and the sum of two must be one."""


class Rates(NamedTuple):
    """Time constants of the neurons that each synapse acts on, padded as `Synapses` are; of padding 0."""

    m: Reals  # [Q]: dt / tau_mem
    s: Reals  # [Q]: dt / tau_syn


class Synapses(NamedTuple):
    """Existing synapses that can still arrive within a sample, S of them, sorted by network and source.

    The sources, P in each network, are its hidden neurons, or its input channels. The run of source i of
    network r has `targets`[r P + i] synapses and fills the blocks from `block`[r P + i] on; the rest of its
    last block, like all of a block LANES synapses, is padding: weight 0, onto neuron 0.

    A delay d = (m + beta) dt, m whole and 0 <= beta < 1, makes a spike at phase phi of step k arrive in
    step k + m, or k + m + 1 if phi + beta >= 1. Its two exponentials factor into a part of the synapse,
    computed here once for a whole batch, and a part of the spike. Where neurons have time constants of their
    own they do not: there `rates` has the synapse's, and its other part is g alone.
    """

    block: npt.NDArray[np.uint64]  # [R P + 1]
    targets: npt.NDArray[np.uint64]  # [R P]
    entry: npt.NDArray[np.int64]  # [S]: flat index into [R, P, M]
    place: npt.NDArray[np.int64]  # [S]: index into what follows, with padding Q long
    offset: npt.NDArray[np.uint32]  # [Q]: m N + j, the way in the ring to target j
    beta: Reals  # [Q]
    weight_m: Reals  # [Q]: w times unit_m
    weight_s: Reals  # [Q]
    unit_m: Reals  # [S]: g exp(beta dt / tau_mem)
    unit_s: Reals  # [S]
    slots: int  # steps that the ring must span
    rates: Rates | None = None


def lay_out(
    weights: Reals,
    delays: Reals,
    mask: npt.NDArray[np.bool_] | None,
    config: LearnerConfig,
    n_neurons: int,
    least: int,
    taus: TimeConstants | None = None,
) -> Synapses:
    """Synapses of `weights`, `delays` (ms) and `mask` (None: all exist), each [R, P, M].

    Their targets are the first M of `n_neurons`, which have time constants of their own if there are `taus`.

    Delays are at least `least` steps: 1 for hidden neurons, whose spikes are found when their step is over.
    A delay longer than the sample needs no slot in the ring (its spikes would arrive after the end), so
    neurons may be any distance apart. A delay that is NaN makes what arrives NaN, in the next step.
    """
    n_networks, n_sources, n_targets = weights.shape
    steps = delays.reshape(-1) / weights.dtype.type(config.dt)
    arrives = ~(steps >= config.steps)  # so that NaN does
    entry = np.flatnonzero(arrives if mask is None else arrives & mask.reshape(-1))
    # Rounding may put the least delay a hair below it.
    steps = np.maximum(steps[entry], least)
    whole = np.floor(steps)
    beta = steps - whole
    m = np.where(np.isnan(whole), least, whole).astype(np.int32)
    slots = int(m.max(initial=0)) + 2
    if slots * n_neurons > MOST_PAIRS:
        raise ValueError(
            f"delays of up to {slots} steps for {n_neurons} neurons are more than the kernels can hold "
            f"({MOST_PAIRS} pairs of a step and a neuron); raise `dt`, or lower `hidden` or `duration`"
        )
    source = entry // n_targets
    target = source // n_sources, entry % n_targets
    if taus is None:
        unit_m, unit_s = _unit(beta, config.tau_mem, config), _unit(beta, config.tau_syn, config)
    else:
        unit_m = unit_s = taus.gain[target]
    weight = weights.reshape(-1)[entry]
    count = np.bincount(source, minlength=n_networks * n_sources)
    block = _sums(-(-count // LANES))
    place = np.arange(entry.size) + (LANES * block - _sums(count))[source]
    size = LANES * int(block[-1])
    each = None if taus is None else [_padded(x[target], place, size) for x in (taus.x_m, taus.x_s)]
    return Synapses(
        block=block.astype(np.uint64),
        targets=count.astype(np.uint64),
        entry=entry,
        place=place,
        offset=_padded((m * n_neurons + entry % n_targets).astype(np.uint32), place, size),
        beta=_padded(beta, place, size),
        weight_m=_padded(weight * unit_m, place, size),
        weight_s=_padded(weight * unit_s, place, size),
        unit_m=unit_m,
        unit_s=unit_s,
        slots=slots,
        rates=None if each is None else Rates(*each),
    )


def no_synapses(dtype: npt.DTypeLike, own_taus: bool) -> Synapses:
    """No synapses with delays at all, of neurons that have time constants of their own or do not."""
    none, index = np.empty(0, dtype), np.empty(0, np.int64)
    block, offset = np.zeros(1, np.uint64), np.empty(0, np.uint32)
    rates = Rates(none, none) if own_taus else None
    return Synapses(block, block[:0], index, index, offset, none, none, none, none, none, 0, rates)


def _unit(beta: Reals, tau: float, config: LearnerConfig) -> Reals:
    rise: Reals = np.exp(beta * beta.dtype.type(config.dt / tau))
    return rise * beta.dtype.type(gain(config.tau_mem, config.tau_syn))


def _sums(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)])


def _padded(values: npt.NDArray[Any], place: npt.NDArray[np.int64], size: int) -> Any:
    """An array of `size` with `values` at `place` and zeros elsewhere, on the border of a cache line."""
    raw = np.zeros(size * values.itemsize + LINE, np.uint8)
    first = -raw.ctypes.data % LINE
    array = raw[first : first + size * values.itemsize].view(values.dtype)
    array[place] = values
    return array
