"""The ring of pairs (for M and S) by step and neuron: arrivals to come, or adjoints of the steps behind.

Delays reach up to `slots` steps, so step k shares its row with step k + slots. A spike touches one pair a
synapse, somewhere in the ring. The arithmetic is done apart from that, in vectors, on the run of synapses.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.kernels.cpu.compile import INLINED, PART, unsigned
from model.kernels.cpu.synapses import LANES


class Ring(NamedTuple):
    """A ring for N neurons, and room for one run."""

    n: int
    size: int  # pairs in the ring, slots times N
    pairs: Reals  # [2 size]: the pair of neuron j in the row that begins at `here` is at 2 (here + j)
    slot: npt.NDArray[np.uint32]  # [N, padded]: the pair of the ring that each synapse of a run goes to
    run: Reals  # [2 N, padded]: a pair for each synapse of a run


@njit(**PART)
def make_ring(problem):
    """A ring for all delays of the problem; empty it before use."""
    n, real = problem.neurons, problem.w_in.dtype
    size, room = max(problem.synapses.slots, problem.inputs.slots) * n, n + LANES
    return Ring(n, size, np.empty(2 * size, real), np.empty(room, np.uint32), np.empty(2 * room, real))


@njit(**INLINED)
def run_of(source, synapses):
    """Where the run of a source begins, its length with padding, and without."""
    first, last = synapses.block[source], synapses.block[source + unsigned(1)]
    return first * unsigned(LANES), (last - first) * unsigned(LANES), synapses.targets[source]


@njit(**INLINED)
def arrives_late(t, phi, synapses, scheme):
    """Whether a spike at phase `phi` arrives over synapse `t` a step later than at phase 0."""
    return phi + synapses.beta[t] >= scheme.one


@njit(**INLINED)
def slot_of(t, late, here, ring, synapses):
    """The pair of the ring that a spike goes to over synapse `t`; `here` is where its own row begins.

    All in 32 bits: what is below zero wraps round to the largest numbers, so the minimum is the remainder.
    """
    row = np.uint32(ring.n) if late else np.uint32(0)
    slot = np.uint32(np.uint32(synapses.offset[t] + np.uint32(here)) + row)
    return min(slot, np.uint32(slot - np.uint32(ring.size)))
