"""The forward pass: one network on one sample after another, step by step.

Shapes in names: B samples, C input channels, N hidden neurons, of which the first M hear inputs, R networks,
P pairs (network, sample).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from model.arrays import Reals
from model.kernels.cpu.adaptation import (
    adapt,
    crosses_adapted,
    decay_traces,
    lower,
    stays_silent_adapted,
)
from model.kernels.cpu.compile import INLINED, OPTIONS, unsigned
from model.kernels.cpu.pairs import add_pair
from model.kernels.cpu.ring import arrives_late, make_ring, run_of, slot_of
from model.kernels.cpu.spikes import append, make_spikes, resized
from model.kernels.cpu.time_constants import (
    add_inputs_own,
    decay_own_and_arrive,
    keep_turns,
    left_at_targets,
    left_own,
    turn_over,
)

FIRST_ROOM = 4096


class State(NamedTuple):
    """The neurons of one network, [N] each."""

    m: Reals
    s: Reals
    before: Reals  # V at the start of the step; of adaptive neurons U
    after: Reals  # the same at its end, before resets
    trace: Reals  # of adaptive neurons, else [0]
    turn: Reals  # derivative of the trace by its rate of decay, likewise
    # Of neurons with time constants of their own, else [0]:
    turn_m: Reals  # derivative of M by dt / tau_mem, see `time_constants`
    turn_s: Reals  # of S by dt / tau_syn
    turn_m_before: Reals  # at the start of the step
    turn_s_before: Reals


@njit(**OPTIONS)
def run_pairs(first, last, problem, features, counts):
    """Simulate pairs `first` to `last` and write their rows of `features` and `counts` [P, N].

    Returns where each pair's spikes begin [last - first + 1], and the spikes.
    """
    n, real = problem.neurons, problem.w_in.dtype
    adaptation, taus, dropped = problem.adaptation, problem.taus, problem.dropped
    adapting, turning = 0 if adaptation is None else n, 0 if taus is None else n
    state = State(
        np.empty(n, real),
        np.empty(n, real),
        np.empty(n, real),
        np.empty(n, real),
        np.empty(adapting, real),
        np.empty(adapting, real),
        np.empty(turning, real),
        np.empty(turning, real),
        np.empty(turning, real),
        np.empty(turning, real),
    )
    ring = make_ring(problem)
    # As many as there can be, and one that `detect` writes in vain. What is not touched takes no memory.
    fresh = make_spikes(problem.scheme.steps * n + 1, state.m, adapting > 0, turning > 0)
    spikes = make_spikes(FIRST_ROOM, state.m, adapting > 0, turning > 0)
    begin = np.zeros(last - first + 1, np.int64)
    for pair in range(first, last):
        outcome = features[pair], counts[pair]
        found = run_pair(pair, problem, adaptation, taus, dropped, state, ring, fresh, outcome)
        start = begin[pair - first]
        end = start + found
        begin[pair - first + 1] = end
        if end > spikes.step.shape[0]:
            spikes = resized(spikes, start, 2 * end)
        append(spikes, start, fresh, found)
    return begin, resized(spikes, begin[-1], begin[-1])


@njit(**INLINED)
def run_pair(pair, problem, adaptation, taus, dropped, state, ring, spikes, outcome):
    """Simulate one pair; writes its `outcome`, features and counts, and `spikes`, and returns how many."""
    _, _, events, w_in, inputs, synapses, _, _, scheme, _, _ = problem
    features, counts = outcome
    network, sample = unsigned(problem.network[pair]), problem.sample[pair]
    state.m[:], state.s[:], state.before[:] = scheme.zero, scheme.zero, scheme.zero
    features[:], counts[:], ring.pairs[:] = scheme.zero, scheme.zero, scheme.zero
    n, channels = unsigned(problem.neurons), unsigned(w_in.shape[1])
    if adaptation is not None:
        state.trace[:], state.turn[:] = scheme.zero, scheme.zero
    if taus is not None:
        state.turn_m[:], state.turn_s[:] = scheme.zero, scheme.zero
    here = unsigned(0)
    event, end = events.start[sample], events.start[sample + 1]
    found, last_arrival = 0, -1
    for k in range(scheme.steps):
        first_event = event
        while event < end and events.step[event] == k:
            event += 1
        if inputs.slots > 0:
            for e in range(unsigned(first_event), unsigned(event)):
                run = run_of(network * channels + unsigned(events.channel[e]), inputs)
                deliver(ring, here, e, events, run, inputs, inputs.rates, events.gain[e], scheme)
                last_arrival = max(last_arrival, k + inputs.slots)
        integrate(state, ring, here, problem, network, taus, first_event, event)
        if adaptation is not None:
            decay_traces(state, network, adaptation, scheme)
            fires = crosses_adapted(state, network, adaptation, scheme)
        else:
            fires = crosses(state, scheme)
        if fires:
            first_spike = found
            found = detect(state, k, spikes, found, features, counts, network, taus, scheme)
            if adaptation is not None:
                adapt(first_spike, found, state, spikes, network, adaptation, scheme)
            for e in range(unsigned(first_spike), unsigned(found)):
                i = unsigned(spikes.neuron[e])
                if dropped is not None and dropped[pair, i]:
                    continue
                run = run_of(network * n + i, synapses)
                deliver(ring, here, e, spikes, run, synapses, synapses.rates, scheme.one, scheme)
            last_arrival = max(last_arrival, k + synapses.slots)
        elif event == end and k >= last_arrival:
            if adaptation is not None:
                over = stays_silent_adapted(state, network, adaptation, scheme)
            else:
                over = stays_silent(state, scheme)
            if over:
                break
        for j in range(n):
            state.before[j] = state.m[j] - state.s[j]
        if adaptation is not None:
            lower(state.before, state, network, adaptation)
        here = (here + n) % unsigned(ring.size)
    return found


@njit(**INLINED)
def integrate(state, ring, here, problem, network, taus, first_event, last_event):
    """Carry M and S over one step: their decay, what arrives, and input spikes that have no delays."""
    events, w_in, inputs, scheme = problem.events, problem.w_in[network], problem.inputs, problem.scheme
    if taus is not None:
        turn_over(state, network, taus)
        decay_own_and_arrive(state, ring, here, network, taus, scheme)
        if inputs.slots == 0:
            add_inputs_own(state, w_in, first_event, last_event, events, network, taus, scheme)
    else:
        decay_and_arrive(state, ring, here, scheme)
        if inputs.slots == 0:
            add_inputs(state, w_in, first_event, last_event, events, scheme)


@njit(**INLINED)
def decay_and_arrive(state, ring, here, scheme):
    """Decay over one step, add the arrivals of this step and clear their row for a step to come."""
    n = unsigned(ring.n)
    row = ring.pairs[here + here : here + here + n + n]
    for j in range(n):
        state.m[j] = state.m[j] * scheme.decay_m + row[j + j]
        state.s[j] = state.s[j] * scheme.decay_s + row[j + j + unsigned(1)]
    row[:] = scheme.zero


@njit(**INLINED)
def add_inputs(state, w_in, first, last, events, scheme):
    """Add the input spikes `first` to `last` through their rows of weights `w_in` [C, M].

    Four at a time, as M and S are fetched and stored once for all four.
    """
    n = unsigned(w_in.shape[1])
    channel, left_m, left_s, g = events.channel, events.left_m, events.left_s, scheme.gain
    fours = first + (last - first) // 4 * 4
    for e in range(first, fours, 4):
        w0, w1, w2, w3 = w_in[channel[e]], w_in[channel[e + 1]], w_in[channel[e + 2]], w_in[channel[e + 3]]
        m0, m1, m2, m3 = g * left_m[e], g * left_m[e + 1], g * left_m[e + 2], g * left_m[e + 3]
        s0, s1, s2, s3 = g * left_s[e], g * left_s[e + 1], g * left_s[e + 2], g * left_s[e + 3]
        for j in range(n):
            state.m[j] += w0[j] * m0 + w1[j] * m1 + w2[j] * m2 + w3[j] * m3
            state.s[j] += w0[j] * s0 + w1[j] * s1 + w2[j] * s2 + w3[j] * s3
    for e in range(fours, last):
        w, m, s = w_in[channel[e]], g * left_m[e], g * left_s[e]
        for j in range(n):
            state.m[j] += w[j] * m
            state.s[j] += w[j] * s


@njit(**INLINED)
def crosses(state, scheme):
    """Set V after the step; whether it reaches the threshold anywhere. NaN does, not to pass for silence."""
    found = 0
    for j in range(unsigned(state.m.shape[0])):
        state.after[j] = state.m[j] - state.s[j]
        found |= not state.after[j] < scheme.threshold
    return found != 0


@njit(**INLINED)
def stays_silent(state, scheme):
    """Whether no neuron can reach the threshold any more by itself: max(M, 0) + max(-S, 0) only decays."""
    may_fire = 0
    for j in range(unsigned(state.m.shape[0])):
        bound = max(state.m[j], scheme.zero) + max(-state.s[j], scheme.zero)
        may_fire |= not bound < scheme.threshold
    return may_fire == 0


@njit(**INLINED)
def detect(state, k, spikes, found, features, counts, network, taus, scheme):
    """Find the spikes of step `k`, write them from place `found` on, read them out, count them and reset.

    Returns the new `found`.
    """
    first = found
    for j in range(unsigned(state.m.shape[0])):  # without a branch, for no processor would predict it
        spikes.neuron[found] = j
        found += not state.after[j] < scheme.threshold
    for e in range(unsigned(first), unsigned(found)):
        j = unsigned(spikes.neuron[e])
        phi, dv = scheme.zero, scheme.zero
        if state.before[j] < scheme.threshold:
            dv = state.after[j] - state.before[j]
            phi = (scheme.threshold - state.before[j]) / dv
        if taus is not None:
            left_m, left_s = left_own(phi, j, network, taus, scheme)
        else:
            left = (phi - scheme.one) * scheme.dt
            left_m, left_s = np.exp(left * scheme.rate_m), np.exp(left * scheme.rate_s)
        value, slope = readout(k, phi, scheme)
        spikes.step[e], spikes.phase[e], spikes.rise[e] = k, phi, dv
        spikes.left_m[e], spikes.left_s[e], spikes.slope[e] = left_m, left_s, slope
        features[j] += value
        counts[j] += scheme.one
        if taus is not None:
            keep_turns(e, state, spikes, scheme)
        state.m[j] -= scheme.threshold * left_m
    return found


@njit(**INLINED)
def readout(k, phi, scheme):
    """What a spike at phase `phi` of step `k` adds to its neuron's feature, and its derivative (per ms)."""
    by_t = scheme.out_t[k] * np.exp(-phi * scheme.x_t)
    by_m = scheme.out_m[k] * np.exp(phi * scheme.x_m)
    by_s = scheme.out_s[k] * np.exp(phi * scheme.x_s)
    slope = (by_s * scheme.x_s - by_m * scheme.x_m - by_t * scheme.x_t) / scheme.dt
    return by_t - by_m + by_s, slope


@njit(**INLINED)
def deliver(ring, here, e, spikes, run, synapses, rates, gain, scheme):
    """Deliver spike `e` over a run of synapses: what is left of it at the end of its step, to each target.

    `rates` are those of `synapses`; where they are None the kernels are compiled without that branch, and
    what is left of a spike has its `gain` already.
    """
    if rates is not None:
        left_at_targets(ring, here, e, spikes, run, synapses, rates, gain, scheme)
    else:
        left_of_spike(ring, here, e, spikes, run, synapses, scheme)
    for t in range(run[2]):
        add_pair(ring.pairs, ring.slot[t], ring.run, t)


@njit(**INLINED)
def left_of_spike(ring, here, e, spikes, run, synapses, scheme):
    """Put into `ring.run` what arrives over each synapse, and into `ring.slot` where to."""
    first, length, _ = run
    phi, left_m, left_s = spikes.phase[e], spikes.left_m[e], spikes.left_s[e]
    later_m, later_s = left_m * scheme.decay_m, left_s * scheme.decay_s
    for t in range(length):
        late = arrives_late(first + t, phi, synapses, scheme)
        ring.slot[t] = slot_of(first + t, late, here, ring, synapses)
        ring.run[t + t] = synapses.weight_m[first + t] * (later_m if late else left_m)
        ring.run[t + t + unsigned(1)] = synapses.weight_s[first + t] * (later_s if late else left_s)
