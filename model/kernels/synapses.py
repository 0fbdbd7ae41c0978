"""Recurrent synapses as the kernels read them: one run of targets per presynaptic neuron."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.config import LearnerConfig
from model.kernels.scheme import Floats, gain

Ints = npt.NDArray[np.uint32]


class Synapses(NamedTuple):
    """Existing synapses that can still arrive within a sample, S of them, sorted by network and neuron.

    A delay d = (m + beta) dt, m whole and 0 <= beta < 1, makes a spike at phase phi of step k arrive in
    step k + m, or k + m + 1 if phi + beta >= 1. Its two exponentials factor into a part of the synapse,
    computed here once for a whole batch, and a part of the spike.
    """

    start: npt.NDArray[np.uint64]  # [R N + 1]: the run of neuron i of network r starts at start[r N + i]
    place: npt.NDArray[np.int64]  # [S]: flat index into [R, N, N]
    offset: Ints  # [S]: 2 m N + j, the way in the ring to target j's M; its S is N further on
    beta: Floats  # [S]
    unit_m: Floats  # [S]: g exp(beta dt / tau_mem)
    unit_s: Floats  # [S]
    weight_m: Floats  # [S]: w times unit_m
    weight_s: Floats  # [S]
    slots: int  # steps that the ring must span


def lay_out(weights: Floats, delays: Floats, mask: npt.NDArray[np.bool_], config: LearnerConfig) -> Synapses:
    """Synapses of `weights`, `delays` (ms) and `mask`, each [R, N, N], for the scheme of `config`.

    A delay longer than the sample needs no slot in the ring (its spikes would arrive after the end), so
    neurons may be any distance apart.
    """
    n_networks, n_neurons, _ = weights.shape
    steps = delays.reshape(-1) / weights.dtype.type(config.dt)
    place = np.flatnonzero(mask.reshape(-1) & (steps < config.steps))
    # Rounding may put the least delay, one step, a hair below it.
    steps = np.maximum(steps[place], 1)
    whole = np.floor(steps)
    beta = steps - whole
    m = whole.astype(np.int32)
    unit_m = _unit(beta, config.tau_mem, config)
    unit_s = _unit(beta, config.tau_syn, config)
    weight = weights.reshape(-1)[place]
    return Synapses(
        start=np.searchsorted(place, np.arange(n_networks * n_neurons + 1) * n_neurons).astype(np.uint64),
        place=place,
        offset=(2 * m * n_neurons + place % n_neurons).astype(np.uint32),
        beta=beta,
        unit_m=unit_m,
        unit_s=unit_s,
        weight_m=weight * unit_m,
        weight_s=weight * unit_s,
        slots=int(m.max(initial=0)) + 2,
    )


def _unit(beta: Floats, tau: float, config: LearnerConfig) -> Floats:
    rise: Floats = np.exp(beta * beta.dtype.type(config.dt / tau))
    return rise * beta.dtype.type(gain(config.tau_mem, config.tau_syn))
