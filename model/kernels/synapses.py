"""Synapses with delays as the kernels read them: one run of targets per source of spikes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.config import LearnerConfig
from model.kernels.scheme import Floats, gain

Ints = npt.NDArray[np.uint32]


class Synapses(NamedTuple):
    """Existing synapses that can still arrive within a sample, S of them, sorted by network and source.

    The sources, P in each network, are its hidden neurons, or its input channels.

    A delay d = (m + beta) dt, m whole and 0 <= beta < 1, makes a spike at phase phi of step k arrive in
    step k + m, or k + m + 1 if phi + beta >= 1. Its two exponentials factor into a part of the synapse,
    computed here once for a whole batch, and a part of the spike.
    """

    start: npt.NDArray[np.uint64]  # [R P + 1]: the run of source i of network r starts at start[r P + i]
    place: npt.NDArray[np.int64]  # [S]: flat index into [R, P, N]
    offset: Ints  # [S]: 2 m N + j, the way in the ring to target j's M; its S is N further on
    beta: Floats  # [S]
    unit_m: Floats  # [S]: g exp(beta dt / tau_mem)
    unit_s: Floats  # [S]
    weight_m: Floats  # [S]: w times unit_m
    weight_s: Floats  # [S]
    slots: int  # steps that the ring must span


def lay_out(
    weights: Floats, delays: Floats, mask: npt.NDArray[np.bool_] | None, config: LearnerConfig, least: int
) -> Synapses:
    """Synapses of `weights`, `delays` (ms) and `mask` (None: all exist), each [R, P, N].

    Delays are at least `least` steps: 1 for hidden neurons, whose spikes are found when their step is over.
    A delay longer than the sample needs no slot in the ring (its spikes would arrive after the end), so
    neurons may be any distance apart.
    """
    n_networks, n_sources, n_neurons = weights.shape
    steps = delays.reshape(-1) / weights.dtype.type(config.dt)
    arrives = steps < config.steps
    place = np.flatnonzero(arrives if mask is None else arrives & mask.reshape(-1))
    # Rounding may put the least delay a hair below it.
    steps = np.maximum(steps[place], least)
    whole = np.floor(steps)
    beta = steps - whole
    m = whole.astype(np.int32)
    unit_m = _unit(beta, config.tau_mem, config)
    unit_s = _unit(beta, config.tau_syn, config)
    weight = weights.reshape(-1)[place]
    return Synapses(
        start=np.searchsorted(place, np.arange(n_networks * n_sources + 1) * n_neurons).astype(np.uint64),
        place=place,
        offset=(2 * m * n_neurons + place % n_neurons).astype(np.uint32),
        beta=beta,
        unit_m=unit_m,
        unit_s=unit_s,
        weight_m=weight * unit_m,
        weight_s=weight * unit_s,
        slots=int(m.max(initial=0)) + 2,
    )


def no_synapses(dtype: npt.DTypeLike) -> Synapses:
    """No synapses with delays at all."""
    none, place = np.empty(0, dtype), np.empty(0, np.int64)
    start, offset = np.zeros(1, np.uint64), np.empty(0, np.uint32)
    return Synapses(start, place, offset, none, none, none, none, none, slots=0)


def _unit(beta: Floats, tau: float, config: LearnerConfig) -> Floats:
    rise: Floats = np.exp(beta * beta.dtype.type(config.dt / tau))
    return rise * beta.dtype.type(gain(config.tau_mem, config.tau_syn))
