"""What the kernels are given."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.kernels.events import Events
from model.kernels.scheme import Floats, Scheme
from model.kernels.synapses import Synapses


class Problem(NamedTuple):
    """P pairs of one of R networks and one of U samples, to be simulated."""

    network: npt.NDArray[np.int64]  # [P]
    sample: npt.NDArray[np.int64]  # [P]
    events: Events
    w_in: Floats  # [R, C, N]
    inputs: Synapses  # of the input channels where they have delays; none: input spikes arrive at once
    synapses: Synapses
    scheme: Scheme
