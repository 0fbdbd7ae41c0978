"""What a backend must do: run networks on spikes, and carry gradients back.

Shapes in names and comments: R networks, B samples a network, I inputs, N hidden neurons, K spikes.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.kernels.border import check_run
from model.kernels.connections import Connections


class Run(NamedTuple):
    """What R networks did on B samples each."""

    features: Tensor
    """[R, B, W N]: time average of each neuron's readout potential, in one window of the readout after the
    other, of which there are W (`readout_windows`)."""
    counts: Tensor
    """[R, B, N]: spikes."""
    trace: Any
    """What the backend needs to carry gradients back and to tell the spikes; nobody else looks into it."""


class Gradients(NamedTuple):
    """Derivatives of a loss by what `Connections` has under the same names, of the same shapes."""

    w_in: Tensor
    w_rec: Tensor
    delays: Tensor
    input_delays: Tensor | None
    adaptation: Tensor | None
    tau_adaptation: Tensor | None
    tau_mem: Tensor | None
    tau_syn: Tensor | None


class HiddenSpikes(NamedTuple):
    """When hidden neurons fired, K spikes in all: by network, then by sample, then step by step."""

    begin: npt.NDArray[np.int64]
    """[R B + 1]: where the spikes of each network and sample begin."""
    times: npt.NDArray[np.float64]
    """[K] (ms), inside the steps of the scheme."""
    neurons: npt.NDArray[np.int32]
    """[K]"""


class Backend(ABC):
    """Kernels for one kind of device, which keep to `scheme` and to its exact gradients.

    How spikes and synapses are laid out for the kernels is the backend's own affair. What it returns does not
    depend on how the work is shared, beyond rounding, and not at all for one and the same sharing.
    """

    def run(
        self,
        connections: Connections,
        data: SpikeDataset,
        samples: npt.ArrayLike,
        config: LearnerConfig,
        dropped: Tensor | None = None,
    ) -> Run:
        """Run network r on the samples `samples`[r] of `data`; `samples` are indices [R, B].

        Input spikes after the end of a sample are left out, and `pool_channels` of them are one input. Spikes
        of the neurons in `dropped` [R, B, N] (bool) reach no neuron; they are read out and counted as ever.

        Raises what `check_run` does, before anything compiled is called.
        """
        chosen = check_run(connections, data, samples, config, dropped)
        return self._run(connections, data, chosen, config, dropped)

    @abstractmethod
    def _run(
        self,
        connections: Connections,
        data: SpikeDataset,
        samples: npt.NDArray[np.int64],
        config: LearnerConfig,
        dropped: Tensor | None,
    ) -> Run:
        """What `run` does, once everything is checked and all indices are at least 0."""

    @abstractmethod
    def gradients(self, trace: Any, by_features: Tensor, by_counts: Tensor) -> Gradients:
        """The gradient of a loss, from its derivatives by features [R, B, W N] and by counts [R, B, N].

        Features are differentiated exactly. Counts are piecewise constant; their pseudo-derivative is that of
        a spike that counts as one less if it comes later by the configuration's tau_mem.
        """

    @abstractmethod
    def hidden_spikes(self, trace: Any) -> HiddenSpikes:
        """The hidden spikes of a run."""
