"""The forward pass: one network on one sample after another, step by step.

Shapes in names: B samples, C input channels, N hidden neurons, R networks, P pairs (network, sample).
"""

import numpy as np
from numba import njit

from model.kernels.compile import OPTIONS, unsigned


@njit(**OPTIONS)
def run_pairs(first, last, network, sample, events, w_in, inputs, synapses, scheme, features, counts):
    """Simulate pairs `first` to `last` and write their rows of `features` and `counts` [P, N].

    `inputs` are the input synapses where they have delays; without any, input spikes arrive at once.
    Returns the spikes, in time order within a pair: where each pair's begin [last - first + 1], their step
    and neuron (int32), their phase in the step, and V1 - V0, zero where the phase has no derivative.
    """
    n = w_in.shape[2]
    membrane, synapse, before = np.empty(n, w_in.dtype), np.empty(n, w_in.dtype), np.empty(n, w_in.dtype)
    slots = max(synapses.slots, inputs.slots)
    ring = np.empty(4 * slots * n, w_in.dtype)
    slot, add_m, add_s = np.empty(n, np.uint32), np.empty(n, w_in.dtype), np.empty(n, w_in.dtype)
    room = 4096
    step, neuron = np.empty(room, np.int32), np.empty(room, np.int32)
    phase, rise = np.empty(room, w_in.dtype), np.empty(room, w_in.dtype)
    begin = np.zeros(last - first + 1, np.int64)
    found = 0
    for pair in range(first, last):
        membrane[:] = scheme.zero
        synapse[:] = scheme.zero
        before[:] = scheme.zero
        ring[:] = scheme.zero
        features[pair, :] = scheme.zero
        counts[pair, :] = scheme.zero
        event, end = events.start[sample[pair]], events.start[sample[pair] + 1]
        base = 0
        for k in range(scheme.steps):
            if base == slots:
                rewind(ring, 2 * slots * n)
                base = 0
            here = unsigned(2 * base * n)
            while inputs.slots > 0 and event < end and events.step[event] == k:
                source = network[pair] * w_in.shape[1] + events.channel[event]
                deliver(
                    ring, here, unsigned(n), events.phase[event], source, inputs, scheme, slot, add_m, add_s
                )
                event += 1
            decay_and_arrive(membrane, synapse, ring, here, scheme)
            while event < end and events.step[event] == k:
                add_input(membrane, synapse, w_in, network[pair], event, events)
                event += 1
            if found + n > room:
                room = 2 * room + n
                step, neuron = grown(step, room), grown(neuron, room)
                phase, rise = grown(phase, room), grown(rise, room)
            fired = found
            found = detect(membrane, synapse, before, k, step, neuron, phase, rise, found, scheme)
            for e in range(fired, found):
                i, phi = neuron[e], phase[e]
                features[pair, i] += readout_kernel(k, phi, scheme)
                counts[pair, i] += scheme.one
                source = network[pair] * n + i
                deliver(ring, here, unsigned(n), phi, source, synapses, scheme, slot, add_m, add_s)
            base += 1
        begin[pair - first + 1] = found
    return begin, step[:found].copy(), neuron[:found].copy(), phase[:found].copy(), rise[:found].copy()


@njit(**OPTIONS)
def grown(array, room):
    """A copy of `array` with room for `room` entries."""
    larger = np.empty(room, array.dtype)
    larger[: array.shape[0]] = array
    return larger


@njit(**OPTIONS)
def rewind(ring, half):
    """Move the upper half of the doubled ring, arrivals still to come, down to where the next steps read.

    The ring is doubled so that a delivery needs no test for wrapping round.
    """
    ring[:half] = ring[half:]
    ring[half:] = 0


@njit(**OPTIONS)
def decay_and_arrive(membrane, synapse, ring, here, scheme):
    """Decay over one step and add the recurrent arrivals of this step."""
    n = unsigned(membrane.shape[0])
    for j in range(n):
        membrane[j] = membrane[j] * scheme.decay_m + ring[here + j]
        synapse[j] = synapse[j] * scheme.decay_s + ring[here + n + j]


@njit(**OPTIONS)
def add_input(membrane, synapse, w_in, network, event, events):
    """Add one input spike, through its row of weights [N]."""
    channel = events.channel[event]
    amplitude_m, amplitude_s = events.amplitude_m[event], events.amplitude_s[event]
    for j in range(membrane.shape[0]):
        membrane[j] += w_in[network, channel, j] * amplitude_m
        synapse[j] += w_in[network, channel, j] * amplitude_s


@njit(**OPTIONS)
def detect(membrane, synapse, before, k, step, neuron, phase, rise, found, scheme):
    """Find the spikes of step `k`, write them from place `found` on, reset; returns the new `found`.

    `before` holds V at the start of the step and leaves holding V at its end, after the reset.
    """
    for j in range(membrane.shape[0]):
        v = membrane[j] - synapse[j]
        if not v < scheme.threshold:  # so that NaN does not pass for silence
            phi, dv = scheme.zero, scheme.zero
            if before[j] < scheme.threshold:
                dv = v - before[j]
                phi = (scheme.threshold - before[j]) / dv
            step[found], neuron[found], phase[found], rise[found] = k, j, phi, dv
            found += 1
            membrane[j] -= scheme.threshold * np.exp((phi - scheme.one) * scheme.dt * scheme.rate_m)
            v = membrane[j] - synapse[j]
        before[j] = v
    return found


@njit(**OPTIONS)
def readout_kernel(k, phi, scheme):
    """What a spike at phase `phi` of step `k` adds to its neuron's feature."""
    return (
        scheme.out_t[k] * np.exp(-phi * scheme.x_t)
        - scheme.out_m[k] * np.exp(phi * scheme.x_m)
        + scheme.out_s[k] * np.exp(phi * scheme.x_s)
    )


@njit(**OPTIONS)
def deliver(ring, here, n, phi, source, synapses, scheme, slot, add_m, add_s):
    """Deliver a spike at phase `phi` over the synapses of its source.

    The arithmetic is done first, in vectors; the scatter, which no compiler vectorises, after it.
    """
    lo, hi = synapses.start[source], synapses.start[source + 1]
    now_m = np.exp((phi - scheme.one) * scheme.dt * scheme.rate_m)
    now_s = np.exp((phi - scheme.one) * scheme.dt * scheme.rate_s)
    later_m, later_s = now_m * scheme.decay_m, now_s * scheme.decay_s
    soon, late = np.uint32(here), np.uint32(here + n + n)
    for t in range(hi - lo):
        wraps = phi + synapses.beta[lo + t] >= scheme.one
        slot[t] = synapses.offset[lo + t] + (late if wraps else soon)
        add_m[t] = synapses.weight_m[lo + t] * (later_m if wraps else now_m)
        add_s[t] = synapses.weight_s[lo + t] * (later_s if wraps else now_s)
    for t in range(hi - lo):
        ring[slot[t]] += add_m[t]
        ring[slot[t] + n] += add_s[t]
