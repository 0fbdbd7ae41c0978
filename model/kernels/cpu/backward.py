"""The backward pass: the exact adjoint of the forward pass, event by event, back in time.

lambda_m, lambda_s are the derivatives of the loss by M and S; a spike gathers those of its arrivals.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from model.arrays import Reals
from model.kernels.cpu.adaptation import decay_traces_back, through_own_trace, through_threshold
from model.kernels.cpu.compile import INLINED, OPTIONS, unsigned
from model.kernels.cpu.pairs import copy_pair
from model.kernels.cpu.ring import arrives_late, make_ring, run_of, slot_of
from model.kernels.cpu.time_constants import (
    add_gradient_own,
    decay_own_back,
    gather_at_targets,
    through_turns,
)


class Sums(NamedTuple):
    """Sums that each spike adds its share of the gradient to.

    Per synapse with a delay (Q with padding), the sums over its spikes of lambda exp(-r / tau) without the
    synapse's own factor, for M and for S: dL/dw and dL/dd are linear in them.
    """

    w_in: Reals  # [R, C, M]: dL/dw_in of input synapses without delays
    inputs_m: Reals  # [Q] of the inputs
    inputs_s: Reals
    synapses_m: Reals  # [Q] of the recurrent synapses
    synapses_s: Reals
    strength: Reals  # [R, N] of adaptive neurons, else [0, 0]: dL/d(strength)
    rate: Reals  # likewise: dL/d(1 / tau)
    # Of neurons with time constants of their own, else [0] or [0, 0]. What an arrival changes within its step
    # is, per synapse, the sum as above with each spike times its place in that step, less 1:
    inputs_rest_m: Reals  # [Q]
    inputs_rest_s: Reals
    synapses_rest_m: Reals  # [Q]
    synapses_rest_s: Reals
    x_m: Reals  # [R, N]: dL/d(dt / tau_mem) but for those rests
    x_s: Reals


class Adjoints(NamedTuple):
    """Derivatives of the loss by what a step does, [N] each."""

    m: Reals  # by M at the end of the step, and, once that is done, at its start
    s: Reals
    at_start: Reals  # of neurons that fire: by V at the start of the step, through the spike's phase
    trace: Reals  # by the trace of adaptive neurons, else [0]


@njit(**OPTIONS)
def run_pairs_back(first, last, problem, begin, spikes, grad_features, grad_counts, sums):
    """Adjoint of `run_pairs` for the same pairs: adds to `sums`.

    Given are the spikes it returned and where each pair's begin, and dL/dfeatures [P, N]. dL/dcounts [P, N]
    acts by a pseudo-derivative, as counts are piecewise constant: a spike that comes later by tau_mem counts
    as one spike less.
    """
    n, real = problem.neurons, problem.w_in.dtype
    adaptation, taus, dropped = problem.adaptation, problem.taus, problem.dropped
    adapting = 0 if adaptation is None else n
    adjoints = Adjoints(np.empty(n, real), np.empty(n, real), np.empty(n, real), np.empty(adapting, real))
    ring = make_ring(problem)
    for pair in range(first, last):
        start, end = begin[pair - first], begin[pair - first + 1]
        if start < end:
            grads = grad_features[pair], grad_counts[pair]
            run_pair_back(
                pair, problem, adaptation, taus, dropped, start, end, spikes, grads, adjoints, ring, sums
            )


@njit(**INLINED)
def run_pair_back(pair, problem, adaptation, taus, dropped, start, end, spikes, grads, adjoints, ring, sums):
    """Adjoint of one pair with spikes `start` to `end`; what comes after its last spike acts on nothing."""
    events, synapses, scheme = problem.events, problem.synapses, problem.scheme
    grad_features, grad_counts = grads
    sum_of, rest_of = (sums.synapses_m, sums.synapses_s), (sums.synapses_rest_m, sums.synapses_rest_s)
    network, sample = unsigned(problem.network[pair]), problem.sample[pair]
    adjoints.m[:], adjoints.s[:], ring.pairs[:] = scheme.zero, scheme.zero, scheme.zero
    n = unsigned(problem.neurons)
    if adaptation is not None:
        adjoints.trace[:] = scheme.zero
    here = unsigned(0)
    first_spike, first_event = end, events.start[sample + 1]
    last_step = spikes.step[end - 1]
    while first_event > events.start[sample] and events.step[first_event - 1] > last_step:
        first_event -= 1
    for k in range(last_step, -1, -1):
        here = (here if here > 0 else unsigned(ring.size)) - n
        last_spike, last_event = first_spike, first_event
        while first_spike > start and spikes.step[first_spike - 1] == k:
            first_spike -= 1
        while first_event > events.start[sample] and events.step[first_event - 1] == k:
            first_event -= 1
        for e in range(unsigned(first_spike), unsigned(last_spike)):
            i = unsigned(spikes.neuron[e])
            by_time = grad_features[i] * spikes.slope[e] - grad_counts[i] * scheme.rate_m
            if dropped is None or not dropped[pair, i]:
                run, rates = run_of(network * n + i, synapses), synapses.rates
                by_time += gather(
                    ring, here, e, spikes, run, synapses, rates, scheme.one, sum_of, rest_of, scheme
                )
            if adaptation is not None:
                by_time += through_own_trace(e, spikes, adjoints, network, adaptation)
            by_v = through_phase(e, by_time, spikes, adjoints, network, taus, scheme)
            if adaptation is not None:
                through_threshold(e, by_v, spikes, adjoints, sums, network, adaptation, scheme)
            if taus is not None:
                through_turns(e, by_v, spikes, sums.x_m[network], sums.x_s[network])
        store(ring, here, adjoints)
        for e in range(unsigned(first_event), unsigned(last_event)):
            back_to_input(e, network, problem, taus, adjoints, ring, here, sums)
        if taus is not None:
            decay_own_back(adjoints, network, taus)
        else:
            for j in range(n):
                adjoints.m[j] *= scheme.decay_m
                adjoints.s[j] *= scheme.decay_s
        if adaptation is not None:
            decay_traces_back(adjoints, network, adaptation)
        for e in range(unsigned(first_spike), unsigned(last_spike)):
            i = unsigned(spikes.neuron[e])
            adjoints.m[i] += adjoints.at_start[i]
            adjoints.s[i] -= adjoints.at_start[i]
            if adaptation is not None:
                adjoints.trace[i] -= adaptation.strength[network, i] * adjoints.at_start[i]


@njit(**INLINED)
def back_to_input(e, network, problem, taus, adjoints, ring, here, sums):
    """Add the share of input spike `e` to the sums of its synapses."""
    events, w_in, inputs, scheme = problem.events, problem.w_in, problem.inputs, problem.scheme
    channel = unsigned(events.channel[e])
    if inputs.slots > 0:
        run = run_of(network * unsigned(w_in.shape[1]) + channel, inputs)
        sum_of = sums.inputs_m, sums.inputs_s
        rest_of = sums.inputs_rest_m, sums.inputs_rest_s
        gather(ring, here, e, events, run, inputs, inputs.rates, events.gain[e], sum_of, rest_of, scheme)
    elif taus is not None:
        row, w = sums.w_in[network, channel], w_in[network, channel]
        add_gradient_own(
            row, w, sums.x_m[network], sums.x_s[network], adjoints, e, events, network, taus, scheme
        )
    else:
        row, g = sums.w_in[network, channel], scheme.gain
        add_gradient(row, adjoints, g * events.left_m[e], g * events.left_s[e])


@njit(**INLINED)
def gather(ring, here, e, spikes, run, synapses, rates, gain, sums, rests, scheme):
    """Gather the adjoints of the arrivals of spike `e` over a run of synapses.

    Adds to the sums (for M and for S), and to the rests where there are `rates`, those of `synapses`. Returns
    dL/d(spike time) through these synapses (per ms).
    """
    first, length, _ = run
    phi = spikes.phase[e]
    for t in range(length):
        late = arrives_late(first + t, phi, synapses, scheme)
        ring.slot[t] = slot_of(first + t, late, here, ring, synapses)
    for t in range(length):
        copy_pair(ring.run, t, ring.pairs, ring.slot[t])
    if rates is not None:
        by_time = gather_at_targets(e, spikes, ring, run, synapses, rates, gain, sums, rests, scheme)
    else:
        by_time = gather_of_spike(e, spikes, ring, run, synapses, sums, scheme)
    return by_time


@njit(**INLINED)
def gather_of_spike(e, spikes, ring, run, synapses, sums, scheme):
    """Add the adjoints in `ring.run`, by what is left of spike `e`, to the sums; returns as `gather` does."""
    first, length, _ = run
    sum_m, sum_s = sums
    phi, left_m, left_s = spikes.phase[e], spikes.left_m[e], spikes.left_s[e]
    later_m, later_s = left_m * scheme.decay_m, left_s * scheme.decay_s
    by_m, by_s = scheme.zero, scheme.zero
    for t in range(length):
        late = arrives_late(first + t, phi, synapses, scheme)
        part_m = ring.run[t + t] * (later_m if late else left_m)
        part_s = ring.run[t + t + unsigned(1)] * (later_s if late else left_s)
        sum_m[first + t] += part_m
        sum_s[first + t] += part_s
        by_m += part_m * synapses.weight_m[first + t]
        by_s += part_s * synapses.weight_s[first + t]
    return by_m * scheme.rate_m + by_s * scheme.rate_s


@njit(**INLINED)
def through_phase(e, by_time, spikes, adjoints, network, taus, scheme):
    """Carry dL/d(time) of spike `e` (per ms) back to V at the step's end and at its start.

    Returns by how much: times -phi and -(1 - phi) it is the derivative by V at the end and at the start.
    phi = (threshold - V0) / (V1 - V0). A spike of a neuron that was above threshold already (V1 - V0 kept as
    0) is tied to the step's start and has no derivative.
    """
    i, phi, dv = unsigned(spikes.neuron[e]), spikes.phase[e], spikes.rise[e]
    by_v = scheme.zero
    if dv != scheme.zero:
        rate = scheme.rate_m
        if taus is not None:
            rate = taus.x_m[network, i] / scheme.dt
        reset = scheme.threshold * spikes.left_m[e] * rate
        by_v = scheme.dt * (by_time - adjoints.m[i] * reset) / dv
    adjoints.m[i] -= by_v * phi
    adjoints.s[i] += by_v * phi
    adjoints.at_start[i] = -by_v * (scheme.one - phi)
    return by_v


@njit(**INLINED)
def store(ring, here, adjoints):
    """Keep this step's adjoints for the earlier spikes that arrived in it."""
    n = unsigned(ring.n)
    row = ring.pairs[here + here : here + here + n + n]
    for j in range(n):
        row[j + j] = adjoints.m[j]
        row[j + j + unsigned(1)] = adjoints.s[j]


@njit(**INLINED)
def add_gradient(row, adjoints, amplitude_m, amplitude_s):
    """Add one input spike's share to the gradient of its row of weights [M]."""
    for j in range(unsigned(row.shape[0])):
        row[j] += adjoints.m[j] * amplitude_m + adjoints.s[j] * amplitude_s
