"""The plain neuron, and what a neuron model must do: the contract that every one of them keeps."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from model.config import LearnerConfig


class Lif:
    """Leaky integrate-and-fire neurons with one threshold, which have no numbers of their own.

    A neuron model says which numbers each neuron has beyond its synapses, and what the kernels are told of
    them. It holds none: they are parameters of the networks, under the names that `draw` gives them, and are
    handed to its methods. So a new model is a file with a subclass, and a line in `registry`.
    """

    def __init__(self, config: LearnerConfig) -> None:
        self.config = config

    def draw(self, neurons: int) -> dict[str, np.ndarray]:
        """Initial values of its parameters in one network of N `neurons`, by name, each [N]; not random."""
        return {}

    def learns(self, name: str) -> bool:
        """Whether its parameter `name` is learned; one that is not stays as it was drawn."""
        return True

    def constants(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the kernels take, by their names in `Connections`, each [R, N]; differentiable."""
        return {}

    def project(self, parameters: Mapping[str, Tensor]) -> None:
        """Bring what an update carried out of its legal range back there, in place, without a gradient."""
        return None

    def learning_rates(self) -> dict[str, float]:
        """The optimiser's steps for its parameters, by name."""
        return {}
