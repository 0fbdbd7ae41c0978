"""A problem for the kernels: networks, samples and the pairs of both that are to be simulated."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.adaptation import Adaptation, make_adaptation
from model.kernels.cpu.events import Events
from model.kernels.cpu.synapses import Synapses, lay_out, no_synapses
from model.kernels.cpu.taus import TimeConstants, make_time_constants
from model.kernels.scheme import Scheme, make_scheme


class Problem(NamedTuple):
    """P pairs of one of R networks and one of U samples, to be simulated."""

    network: npt.NDArray[np.int64]  # [P]
    sample: npt.NDArray[np.int64]  # [P]
    events: Events
    w_in: Reals  # [R, C, M]: inputs act on the first M neurons
    inputs: Synapses  # of the input channels where they have delays; none: input spikes arrive at once
    synapses: Synapses
    adaptation: Adaptation | None  # None: the neurons are plain ones
    taus: TimeConstants | None  # None: the neurons share those of the scheme
    scheme: Scheme
    neurons: int  # N
    dropped: npt.NDArray[np.bool_] | None  # [P, N]: whose spikes nobody hears; None: all are heard


def make_problem(
    w_in: Reals,
    w_rec: Reals,
    delays: Reals,
    input_delays: Reals | None,
    mask: npt.NDArray[np.bool_],
    adaptation: tuple[Reals, Reals] | None,
    taus: tuple[Reals, Reals] | None,
    events: Events,
    sample: npt.NDArray[np.int64],
    config: LearnerConfig,
    dropped: npt.NDArray[np.bool_] | None,
) -> Problem:
    """The problem of network r on the samples `sample`[r] of `events`; `sample` is [R, B].

    `adaptation` is its strength and its time constant, `taus` are those of membrane and synapse, `dropped` is
    [R, B, N]. All arguments have shapes and units of `model.kernels.connections.Connections`.
    """
    neurons = w_rec.shape[2]
    own = None if taus is None else make_time_constants(*taus, config)
    inputs = no_synapses(w_in.dtype, own_taus=own is not None)
    if input_delays is not None:
        inputs = lay_out(w_in, input_delays, None, config, neurons, least=0, taus=own)
    return Problem(
        network=np.repeat(np.arange(sample.shape[0]), sample.shape[1]),
        sample=sample.reshape(-1),
        events=events,
        w_in=w_in,
        inputs=inputs,
        synapses=lay_out(w_rec, delays, mask, config, neurons, least=1, taus=own),
        adaptation=None if adaptation is None else make_adaptation(*adaptation, config),
        taus=own,
        scheme=make_scheme(config, w_in.dtype),
        neurons=neurons,
        dropped=None if dropped is None else dropped.reshape(-1, neurons),
    )
