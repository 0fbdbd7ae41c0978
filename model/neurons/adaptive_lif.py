"""Neurons whose threshold rises with each of their spikes, and comes back slowly."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from model.neurons.lif import Lif

ADAPTATION = ("adaptation", "log_tau_adaptation")
"""The parameters of adaptation."""


class AdaptiveLif(Lif):
    """Leaky integrate-and-fire neurons with an adaptive threshold (Bellec et al. 2018, arXiv 1803.09574).

    A neuron's threshold is theta + b a: its trace a jumps by 1 with each of its spikes and decays with a time
    constant in between. The parameters are `adaptation` [R, N], how far a spike raises the threshold, b (in
    units of the potential, at least 0), and `log_tau_adaptation` [R, N], the logarithm of the time constant
    (ms, at least a step). A spike takes theta off the potential, as in Bellec et al., and not theta + b a.

    The threshold was chosen over a spike-triggered current: both slow a neuron down, but the trace decays
    exactly by itself, so that the scheme's one crossing a step stays one linear interpolation, and its
    adjoint exact, while a current would add to the membrane a third time constant for each neuron.
    """

    def draw(self, neurons: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Strength and time constant as configured, all neurons alike: how they differ is learned."""
        return super().draw(neurons, random) | {
            "adaptation": np.full(neurons, self.config.adaptation),
            "log_tau_adaptation": np.full(neurons, math.log(self.config.tau_adaptation)),
        }

    def learns(self, name: str) -> bool:
        """Both of adaptation, or neither."""
        return self.config.learn_adaptation if name in ADAPTATION else super().learns(name)

    def constants(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Strength (units of the potential) and time constant (ms)."""
        return super().constants(parameters) | {
            "adaptation": parameters["adaptation"],
            "tau_adaptation": parameters["log_tau_adaptation"].exp(),
        }

    @torch.no_grad()
    def project(self, parameters: Mapping[str, Tensor]) -> None:
        """Bring strengths below 0 back to it, and time constants below a step to that."""
        super().project(parameters)
        parameters["adaptation"].clamp_(min=0)
        parameters["log_tau_adaptation"].clamp_(min=math.log(self.config.dt))

    def learning_rates(self) -> dict[str, float]:
        """`neuron_learning_rate` is in thresholds for strengths, and a share for time constants."""
        rate = self.config.neuron_learning_rate
        own = {"adaptation": rate * self.config.threshold, "log_tau_adaptation": rate}
        return super().learning_rates() | own
