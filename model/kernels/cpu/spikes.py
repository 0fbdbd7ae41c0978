"""Hidden spikes, as the forward pass leaves them for the backward pass."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.kernels.cpu.compile import PART


class Spikes(NamedTuple):
    """Spikes of some pairs (network, sample), K in all, pair by pair and in time order."""

    step: npt.NDArray[np.int32]  # [K]
    neuron: npt.NDArray[np.int32]  # [K]
    phase: Reals  # [K]: place within the step, 0 to 1
    rise: Reals  # [K]: V1 - V0, zero where the phase has no derivative
    left_m: Reals  # [K]: exp(-r / tau_mem), r the time left in the step
    left_s: Reals  # [K]: exp(-r / tau_syn)
    slope: Reals  # [K]: derivative of the readout's kernel by the spike's time (per ms)
    # Of adaptive neurons, else [0]:
    left_a: Reals  # [K]: exp(-r / tau) of the adaptation
    trace: Reals  # [K]: at the step's end, without this spike
    turn: Reals  # [K]: its derivative by its rate of decay
    # Of neurons with time constants of their own, else [0]:
    turn_m: Reals  # [K]: derivative of M by dt / tau_mem at the crossing, between the step's ends as V is
    turn_s: Reals  # [K]: the same of S by dt / tau_syn


@njit(**PART)
def make_spikes(room, like, adaptive, own_taus):
    """Room for so many spikes, with floats of the type of `like`, of neurons that adapt or do not.

    `own_taus` says whether these have time constants of their own.
    """
    ints, real = np.int32, like.dtype
    more, turns = room if adaptive else 0, room if own_taus else 0
    return Spikes(
        np.empty(room, ints),
        np.empty(room, ints),
        np.empty(room, real),
        np.empty(room, real),
        np.empty(room, real),
        np.empty(room, real),
        np.empty(room, real),
        np.empty(more, real),
        np.empty(more, real),
        np.empty(more, real),
        np.empty(turns, real),
        np.empty(turns, real),
    )


@njit(**PART)
def resized(spikes, count, room):
    """A copy of the first `count` spikes with room for `room`."""
    copy = make_spikes(room, spikes.phase, spikes.trace.shape[0] > 0, spikes.turn_m.shape[0] > 0)
    append(copy, 0, spikes, count)
    return copy


@njit(**PART)
def append(spikes, at, more, count):
    """Write the first `count` of the spikes `more` from place `at` on."""
    end = at + count
    spikes.step[at:end] = more.step[:count]
    spikes.neuron[at:end] = more.neuron[:count]
    spikes.phase[at:end] = more.phase[:count]
    spikes.rise[at:end] = more.rise[:count]
    spikes.left_m[at:end] = more.left_m[:count]
    spikes.left_s[at:end] = more.left_s[:count]
    spikes.slope[at:end] = more.slope[:count]
    if more.trace.shape[0] > 0:
        spikes.left_a[at:end] = more.left_a[:count]
        spikes.trace[at:end] = more.trace[:count]
        spikes.turn[at:end] = more.turn[:count]
    if more.turn_m.shape[0] > 0:
        spikes.turn_m[at:end] = more.turn_m[:count]
        spikes.turn_s[at:end] = more.turn_s[:count]
