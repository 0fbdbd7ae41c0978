"""Hidden spikes, as the forward pass leaves them for the backward pass."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.kernels.cpu.compile import PART, unsigned


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
    """Write the first `count` of the spikes `more` from place `at` on.

    One by one: numba makes so much code of an assignment to a part of an array that two thirds of the time to
    compile the forward pass went into these few.
    """
    at = unsigned(at)
    for e in range(unsigned(count)):
        spikes.step[at + e], spikes.neuron[at + e] = more.step[e], more.neuron[e]
        spikes.phase[at + e], spikes.rise[at + e] = more.phase[e], more.rise[e]
        spikes.left_m[at + e], spikes.left_s[at + e] = more.left_m[e], more.left_s[e]
        spikes.slope[at + e] = more.slope[e]
    if more.trace.shape[0] > 0:
        for e in range(unsigned(count)):
            spikes.left_a[at + e], spikes.trace[at + e] = more.left_a[e], more.trace[e]
            spikes.turn[at + e] = more.turn[e]
    if more.turn_m.shape[0] > 0:
        for e in range(unsigned(count)):
            spikes.turn_m[at + e], spikes.turn_s[at + e] = more.turn_m[e], more.turn_s[e]
