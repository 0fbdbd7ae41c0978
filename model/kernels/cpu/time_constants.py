"""What neurons with time constants of their own do in place of the others, forwards and in the adjoint.

What is left of a spike at the end of the step that it arrives in, exp(-r / tau), then depends on the target,
so that it is computed for each arrival. All else is as for others, with numbers of the neuron.

The derivative by x = dt / tau comes in two parts. With the arrivals of a step as they are, M at later ends
of steps has a derivative that the forward pass carries along, `turn_m`; a spike keeps it, and the backward
pass multiplies it by what that spike's crossing passes to V. What x changes of an arrival within its own step
is a number to its adjoint, `rest_m`. How spikes move is what the other adjoints say. The same goes for S.

For neurons that share their time constants the kernels are compiled with None in place of
`taus.TimeConstants`, as for those without an `Adaptation`.
"""

from numba import njit

from model.kernels.cpu.compile import INLINED, unsigned
from model.kernels.cpu.exponential import remaining
from model.kernels.cpu.ring import arrives_late, slot_of


@njit(**INLINED)
def turn_over(state, network, taus):
    """Carry the derivatives of M and S by x over a step; before M and S decay themselves."""
    decay_m, decay_s = taus.decay_m[network], taus.decay_s[network]
    for j in range(unsigned(state.m.shape[0])):
        state.turn_m_before[j], state.turn_s_before[j] = state.turn_m[j], state.turn_s[j]
        state.turn_m[j] = decay_m[j] * (state.turn_m[j] - state.m[j])
        state.turn_s[j] = decay_s[j] * (state.turn_s[j] - state.s[j])


@njit(**INLINED)
def decay_own_and_arrive(state, ring, here, network, taus, scheme):
    """As `decay_and_arrive` of neurons that decay alike."""
    decay_m, decay_s, n = taus.decay_m[network], taus.decay_s[network], unsigned(ring.n)
    row = ring.pairs[here + here : here + here + n + n]
    for j in range(n):
        state.m[j] = state.m[j] * decay_m[j] + row[j + j]
        state.s[j] = state.s[j] * decay_s[j] + row[j + j + unsigned(1)]
    row[:] = scheme.zero


@njit(**INLINED)
def add_inputs_own(state, w_in, first, last, events, network, taus, scheme):
    """As `add_inputs` of neurons that decay alike."""
    gain, x_m, x_s = taus.gain[network], taus.x_m[network], taus.x_s[network]
    for e in range(first, last):
        w, place, own = w_in[events.channel[e]], events.phase[e] - scheme.one, events.gain[e]
        for j in range(unsigned(w.shape[0])):
            amplitude = own * gain[j] * w[j]
            state.m[j] += amplitude * remaining(place * x_m[j])
            state.s[j] += amplitude * remaining(place * x_s[j])


@njit(**INLINED)
def left_own(phi, j, network, taus, scheme):
    """What is left of a spike of neuron `j` at phase `phi` at the end of its step, in its own M and S."""
    place = phi - scheme.one
    return remaining(place * taus.x_m[network, j]), remaining(place * taus.x_s[network, j])


@njit(**INLINED)
def place_of_arrival(t, phi, late, synapses, scheme):
    """Where in its step a spike at phase `phi` arrives over synapse `t`, less 1: from -1 to below 0."""
    return phi + synapses.beta[t] - scheme.one - (scheme.one if late else scheme.zero)


@njit(**INLINED)
def left_at_targets(ring, here, e, spikes, run, synapses, rates, gain, scheme):
    """As `left_of_spike`, with the time constants of each target."""
    first, length, phi = run[0], run[1], spikes.phase[e]
    for t in range(length):
        late = arrives_late(first + t, phi, synapses, scheme)
        ring.slot[t] = slot_of(first + t, late, here, ring, synapses)
        place = place_of_arrival(first + t, phi, late, synapses, scheme)
        weight = gain * synapses.weight_m[first + t]
        ring.run[t + t] = weight * remaining(place * rates.m[first + t])
        ring.run[t + t + unsigned(1)] = weight * remaining(place * rates.s[first + t])


@njit(**INLINED)
def keep_turns(e, state, spikes, scheme):
    """Keep what the adjoint needs of spike `e`, and have its reset change the derivative of M.

    What the spike does not change is the potential up to the step's end, which is what it crossed by.
    """
    j, phi = unsigned(spikes.neuron[e]), spikes.phase[e]
    spikes.turn_m[e] = phi * state.turn_m[j] + (scheme.one - phi) * state.turn_m_before[j]
    spikes.turn_s[e] = phi * state.turn_s[j] + (scheme.one - phi) * state.turn_s_before[j]
    state.turn_m[j] += (scheme.one - phi) * scheme.threshold * spikes.left_m[e]


@njit(**INLINED)
def gather_at_targets(e, spikes, ring, run, synapses, rates, gain, sums, rests, scheme):
    """As `gather_of_spike`, with the time constants of each target; adds to the rests, too."""
    first, length, phi = run[0], run[1], spikes.phase[e]
    sum_m, sum_s = sums
    rest_m, rest_s = rests
    by_place = scheme.zero
    for t in range(length):
        late = arrives_late(first + t, phi, synapses, scheme)
        place = place_of_arrival(first + t, phi, late, synapses, scheme)
        x_m, x_s = rates.m[first + t], rates.s[first + t]
        part_m = gain * ring.run[t + t] * remaining(place * x_m)
        part_s = gain * ring.run[t + t + unsigned(1)] * remaining(place * x_s)
        sum_m[first + t] += part_m
        sum_s[first + t] += part_s
        rest_m[first + t] += place * part_m
        rest_s[first + t] += place * part_s
        by_place += synapses.weight_m[first + t] * (part_m * x_m + part_s * x_s)
    return by_place / scheme.dt


@njit(**INLINED)
def add_gradient_own(row, w, by_x_m, by_x_s, adjoints, e, events, network, taus, scheme):
    """As `add_gradient` of neurons that decay alike; adds to the derivatives by x, too."""
    gain, x_m, x_s = taus.gain[network], taus.x_m[network], taus.x_s[network]
    place, own = events.phase[e] - scheme.one, events.gain[e]
    for j in range(unsigned(row.shape[0])):
        amplitude = own * gain[j]
        part_m = amplitude * adjoints.m[j] * remaining(place * x_m[j])
        part_s = amplitude * adjoints.s[j] * remaining(place * x_s[j])
        row[j] += part_m + part_s
        by_x_m[j] += place * w[j] * part_m
        by_x_s[j] += place * w[j] * part_s


@njit(**INLINED)
def through_turns(e, by_v, spikes, by_x_m, by_x_s):
    """Carry what `through_phase` passed to V, `by_v`, on to the time constants of the neuron of spike `e`."""
    i = unsigned(spikes.neuron[e])
    by_x_m[i] -= by_v * spikes.turn_m[e]
    by_x_s[i] += by_v * spikes.turn_s[e]


@njit(**INLINED)
def decay_own_back(adjoints, network, taus):
    """Adjoint of the decay over one step."""
    decay_m, decay_s = taus.decay_m[network], taus.decay_s[network]
    for j in range(unsigned(adjoints.m.shape[0])):
        adjoints.m[j] *= decay_m[j]
        adjoints.s[j] *= decay_s[j]
