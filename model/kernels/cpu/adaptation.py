"""What adaptive neurons do beyond plain ones, in the forward pass and in its adjoint.

A neuron's trace A decays by exp(-dt / tau) a step and grows by 1 with each of its spikes, which raises its
threshold by strength times A. The kernels look at U = M - S - strength A, which fires at the threshold of
all: the crossing, the phase of the spike and the reset stay those of plain neurons.

For plain neurons the kernels are compiled with None in place of an `Adaptation`: numba then leaves out every
branch that asks for one, so that they are the same code, bit for bit, as if there were no other neurons.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.compile import INLINED, unsigned


class Adaptation(NamedTuple):
    """Constants of adaptive neurons, [R, N] each."""

    strength: Reals  # how far a spike raises the threshold
    rate: Reals  # 1 / tau (per ms)
    decay: Reals  # exp(-dt / tau)


def make_adaptation(strength: Reals, tau: Reals, config: LearnerConfig) -> Adaptation:
    """The constants of neurons with these strengths (units of the potential) and time constants (ms)."""
    rate = 1 / tau
    return Adaptation(strength, rate, np.exp(rate * rate.dtype.type(-config.dt)))


@njit(**INLINED)
def decay_traces(state, network, adaptation, scheme):
    """Decay the traces over one step, and with them their derivatives by the rate of decay."""
    decay = adaptation.decay[network]
    for j in range(unsigned(state.trace.shape[0])):
        state.turn[j] = decay[j] * (state.turn[j] - scheme.dt * state.trace[j])
        state.trace[j] *= decay[j]


@njit(**INLINED)
def lower(potential, state, network, adaptation):
    """Take from `potential` [N] what the traces raise the threshold by."""
    strength = adaptation.strength[network]
    for j in range(unsigned(state.trace.shape[0])):
        potential[j] -= strength[j] * state.trace[j]


@njit(**INLINED)
def crosses_adapted(state, network, adaptation, scheme):
    """As `crosses` of plain neurons, of U in place of V."""
    strength, found = adaptation.strength[network], 0
    for j in range(unsigned(state.trace.shape[0])):
        state.after[j] = state.m[j] - state.s[j] - strength[j] * state.trace[j]
        found |= not state.after[j] < scheme.threshold
    return found != 0


@njit(**INLINED)
def stays_silent_adapted(state, network, adaptation, scheme):
    """As `stays_silent` of plain neurons; a trace can lift U only where its strength is below 0."""
    strength, may_fire = adaptation.strength[network], 0
    for j in range(unsigned(state.trace.shape[0])):
        lift = max(-strength[j], scheme.zero) * state.trace[j]
        bound = max(state.m[j], scheme.zero) + max(-state.s[j], scheme.zero) + lift
        may_fire |= not bound < scheme.threshold
    return may_fire == 0


@njit(**INLINED)
def adapt(first, last, state, spikes, network, adaptation, scheme):
    """Let the neurons of spikes `first` to `last`, all of one step, adapt; keep what the adjoint needs."""
    for e in range(unsigned(first), unsigned(last)):
        j = unsigned(spikes.neuron[e])
        left = (scheme.one - spikes.phase[e]) * scheme.dt
        left_a = np.exp(-left * adaptation.rate[network, j])
        spikes.left_a[e], spikes.trace[e], spikes.turn[e] = left_a, state.trace[j], state.turn[j]
        state.trace[j] += left_a
        state.turn[j] -= left * left_a


@njit(**INLINED)
def through_own_trace(e, spikes, adjoints, network, adaptation):
    """dL/d(time) of spike `e` (per ms) through the later thresholds of its own neuron."""
    i = unsigned(spikes.neuron[e])
    return adjoints.trace[i] * spikes.left_a[e] * adaptation.rate[network, i]


@njit(**INLINED)
def through_threshold(e, by_v, spikes, adjoints, sums, network, adaptation, scheme):
    """Carry what `through_phase` passed to U, `by_v`, on to the trace and to the constants of its neuron.

    U is linear in the strength, with the trace as its slope, and the trace as a function of the rate has the
    slope `turn`, with all spikes where they are: how these move is what the other adjoints say. Traces at the
    step's start follow from those at its end.
    """
    i = unsigned(spikes.neuron[e])
    by_end, by_start = -by_v * spikes.phase[e], adjoints.at_start[i]
    strength, decay = adaptation.strength[network, i], adaptation.decay[network, i]
    trace_before = spikes.trace[e] / decay
    turn_before = spikes.turn[e] / decay + scheme.dt * trace_before
    sums.strength[network, i] -= by_end * spikes.trace[e] + by_start * trace_before
    sums.rate[network, i] -= strength * (by_end * spikes.turn[e] + by_start * turn_before)
    adjoints.trace[i] -= strength * by_end


@njit(**INLINED)
def decay_traces_back(adjoints, network, adaptation):
    """Adjoint of the decay over one step."""
    decay = adaptation.decay[network]
    for j in range(unsigned(adjoints.trace.shape[0])):
        adjoints.trace[j] *= decay[j]
