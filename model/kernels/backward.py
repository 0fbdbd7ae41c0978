"""The backward pass: the exact adjoint of the forward pass, event by event, back in time.

lambda_m, lambda_s are the derivatives of the loss by M and S; a spike gathers those of its arrivals.
"""

import numpy as np
from numba import njit

from model.kernels.compile import OPTIONS, unsigned


@njit(**OPTIONS)
def run_pairs_back(
    first, last, network, sample, events, w_in, inputs, synapses, scheme, spikes, grad_features, grad_counts
):
    """Adjoint of `run_pairs` for the same pairs, given the spikes it returned and dL/dfeatures [P, N].

    Returns dL/dw_in [R, C, N] of input synapses without delays; and per synapse [S] with a delay, first the
    inputs and then the recurrent ones, the sums over its spikes of lambda exp(-r / tau) without the
    synapse's own factor, for M and for S: dL/dw and dL/dd are linear in them.

    dL/dcounts [P, N] acts by a pseudo-derivative, as counts are piecewise constant: a spike that comes later
    by tau_mem counts as one spike less.
    """
    n = w_in.shape[2]
    begin, step, neuron, phase, rise = spikes
    grad_in = np.zeros_like(w_in)
    in_m, in_s = np.zeros(inputs.beta.shape[0], w_in.dtype), np.zeros(inputs.beta.shape[0], w_in.dtype)
    sum_m, sum_s = np.zeros(synapses.beta.shape[0], w_in.dtype), np.zeros(synapses.beta.shape[0], w_in.dtype)
    lambda_m, lambda_s = np.empty(n, w_in.dtype), np.empty(n, w_in.dtype)
    start_m, start_s = np.empty(n, w_in.dtype), np.empty(n, w_in.dtype)
    slots = max(synapses.slots, inputs.slots)
    ring = np.empty(4 * slots * n, w_in.dtype)
    for pair in range(first, last):
        lambda_m[:] = scheme.zero
        lambda_s[:] = scheme.zero
        ring[:] = scheme.zero
        event, event_end = events.start[sample[pair] + 1] - 1, events.start[sample[pair]]
        spike, spike_end = begin[pair - first + 1] - 1, begin[pair - first]
        base = slots
        for k in range(scheme.steps - 1, -1, -1):
            if base == 0:
                rewind_back(ring, 2 * slots * n)
                base = slots
            base -= 1
            here = unsigned(2 * base * n)
            start_m[:] = scheme.zero
            start_s[:] = scheme.zero
            while spike >= spike_end and step[spike] == k:
                i, phi = neuron[spike], phase[spike]
                source = network[pair] * n + i
                by_time = gather(ring, here, unsigned(n), phi, source, synapses, scheme, sum_m, sum_s)
                by_time += grad_features[pair, i] * readout_slope(k, phi, scheme)
                by_time -= grad_counts[pair, i] * scheme.rate_m
                through_phase(i, phi, rise[spike], by_time, lambda_m, lambda_s, start_m, start_s, scheme)
                spike -= 1
            store(ring, here, lambda_m, lambda_s)
            while inputs.slots > 0 and event >= event_end and events.step[event] == k:
                source = network[pair] * w_in.shape[1] + events.channel[event]
                gather(ring, here, unsigned(n), events.phase[event], source, inputs, scheme, in_m, in_s)
                event -= 1
            while event >= event_end and events.step[event] == k:
                add_gradient(grad_in, network[pair], event, events, lambda_m, lambda_s)
                event -= 1
            decay_back(lambda_m, lambda_s, start_m, start_s, scheme)
    return grad_in, in_m, in_s, sum_m, sum_s


@njit(**OPTIONS)
def rewind_back(ring, half):
    """Move the lower half of the doubled ring up, so that earlier steps can be written below it."""
    ring[half:] = ring[:half]


@njit(**OPTIONS)
def gather(ring, here, n, phi, source, synapses, scheme, sum_m, sum_s):
    """Gather the adjoints of a spike's arrivals; returns dL/d(spike time) through its synapses (per ms)."""
    lo, hi = synapses.start[source], synapses.start[source + 1]
    now_m = np.exp((phi - scheme.one) * scheme.dt * scheme.rate_m)
    now_s = np.exp((phi - scheme.one) * scheme.dt * scheme.rate_s)
    later_m, later_s = now_m * scheme.decay_m, now_s * scheme.decay_s
    soon, late = np.uint32(here), np.uint32(here + n + n)
    by_m, by_s = scheme.zero, scheme.zero
    for t in range(lo, hi):
        wraps = phi + synapses.beta[t] >= scheme.one
        slot = synapses.offset[t] + (late if wraps else soon)
        part_m = ring[slot] * (later_m if wraps else now_m)
        part_s = ring[slot + unsigned(n)] * (later_s if wraps else now_s)
        sum_m[t] += part_m
        sum_s[t] += part_s
        by_m += part_m * synapses.weight_m[t]
        by_s += part_s * synapses.weight_s[t]
    return by_m * scheme.rate_m + by_s * scheme.rate_s


@njit(**OPTIONS)
def readout_slope(k, phi, scheme):
    """Derivative of `readout_kernel` by the spike's time (per ms)."""
    return (
        -scheme.out_t[k] * scheme.x_t * np.exp(-phi * scheme.x_t)
        - scheme.out_m[k] * scheme.x_m * np.exp(phi * scheme.x_m)
        + scheme.out_s[k] * scheme.x_s * np.exp(phi * scheme.x_s)
    ) / scheme.dt


@njit(**OPTIONS)
def through_phase(i, phi, dv, by_time, lambda_m, lambda_s, start_m, start_s, scheme):
    """Carry dL/dphi of a spike of neuron i back to V at the step's end and at its start.

    phi = (threshold - V0) / (V1 - V0). A spike of a neuron that was above threshold already (dv = 0) is
    tied to the step's start and has no derivative.
    """
    if dv == scheme.zero:
        return
    reset = scheme.threshold * np.exp((phi - scheme.one) * scheme.dt * scheme.rate_m) * scheme.rate_m
    by_phase = scheme.dt * (by_time - lambda_m[i] * reset)
    at_end = by_phase * phi / dv
    at_start = by_phase * (scheme.one - phi) / dv
    lambda_m[i] -= at_end
    lambda_s[i] += at_end
    start_m[i] = -at_start
    start_s[i] = at_start


@njit(**OPTIONS)
def store(ring, here, lambda_m, lambda_s):
    """Keep this step's adjoints for the earlier spikes that arrived in it."""
    n = unsigned(lambda_m.shape[0])
    for j in range(n):
        ring[here + j] = lambda_m[j]
        ring[here + n + j] = lambda_s[j]


@njit(**OPTIONS)
def add_gradient(grad_in, network, event, events, lambda_m, lambda_s):
    """Add one input spike's share to the gradient of its row of weights [N]."""
    row = grad_in[network, events.channel[event]]
    amplitude_m, amplitude_s = events.amplitude_m[event], events.amplitude_s[event]
    for j in range(row.shape[0]):
        row[j] += lambda_m[j] * amplitude_m + lambda_s[j] * amplitude_s


@njit(**OPTIONS)
def decay_back(lambda_m, lambda_s, start_m, start_s, scheme):
    """Adjoints at the start of the step, before its decay."""
    for j in range(lambda_m.shape[0]):
        lambda_m[j] = lambda_m[j] * scheme.decay_m + start_m[j]
        lambda_s[j] = lambda_s[j] * scheme.decay_s + start_s[j]
