"""What networks are, as every backend takes them.

R networks, I inputs, N hidden neurons, of which the first M hear inputs.
"""

from typing import NamedTuple

from torch import Tensor


class Connections(NamedTuple):
    """The synapses of R networks, how strong and how late, and what their neurons have of their own.

    All are on one device, in one precision.
    """

    w_in: Tensor
    """Input weights [R, I, M]: inputs act on the first M neurons."""
    w_rec: Tensor
    """Recurrent weights [R, N, N], presynaptic neuron first."""
    delays: Tensor
    """Recurrent delays [R, N, N] (ms), at least one step where a synapse exists."""
    mask: Tensor
    """Which recurrent synapses exist [R, N, N] (bool); one that does learns also at w = 0."""
    input_delays: Tensor | None = None
    """Delays of the inputs [R, I, M] (ms), at least 0; None: input spikes arrive at once."""
    adaptation: Tensor | None = None
    """How far each spike of a neuron raises its threshold [R, N]; None: neurons do not adapt."""
    tau_adaptation: Tensor | None = None
    """Time constant [R, N] (ms, above 0) with which thresholds come back; there where `adaptation` is."""
    tau_mem: Tensor | None = None
    """Membrane time constant of each neuron [R, N] (ms, at least a step); None: all have the scheme's."""
    tau_syn: Tensor | None = None
    """Synaptic time constant of each neuron [R, N] (ms, at least a step), which is another than `tau_mem`;
    there where that is."""
