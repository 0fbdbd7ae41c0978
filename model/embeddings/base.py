"""What an embedding must do: the contract that every one of them keeps."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from torch import Tensor

from model.config import LearnerConfig

Parameters = Mapping[str, Tensor]
"""The parameters of R networks by name, those of the embedding among them, each [R, ...]."""


class Embedding(ABC):
    """Where the delays between N hidden neurons come from.

    An embedding says which numbers delays are made of, and how. It holds none of them: they are parameters of
    the networks, under the names that `draw` gives them, and are handed to its methods. So a new embedding is
    a file with a subclass, and a line in `registry`.

    Shapes: R networks, N neurons, D dimensions. Delays are in ms, distances in units of space.
    """

    in_space: ClassVar[bool] = False
    """Whether the neurons have `positions` [R, N, D]."""

    def __init__(self, config: LearnerConfig) -> None:
        self.config = config

    @abstractmethod
    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """Initial values of the embedding's parameters in one network of N `neurons`, by name, in order.

        Whatever the embedding, delays begin with one distribution, that of neurons uniform in space, unless
        `initial_delays` asks for another.
        """

    def learns(self, name: str) -> bool:
        """Whether its parameter `name` is learned; one that is not stays as it was drawn."""
        return True

    @abstractmethod
    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """Delays of the recurrent synapses [R, N, N] (ms), presynaptic neuron first, at least `delay_floor`.

        They are differentiable by what is learned. `like` [R, N, N] has the shape and the type that they get.
        """

    def distances(self, parameters: Parameters, like: Tensor) -> Tensor:
        """Lengths of the recurrent synapses [R, N, N] (units of space).

        Without positions they are what delays beyond the least one stand for, (d - d_min) / delay_scale.
        """
        return (self.delays(parameters, like) - self.config.delay_floor) / self.config.delay_scale

    def delay_scale(self, parameters: Parameters) -> Tensor | float:
        """Delay per unit of space (ms), shaped to go with [R, N, N]."""
        return self.config.delay_scale

    def project(self, parameters: Parameters) -> None:
        """Bring what an update carried out of its legal range back there, in place, without a gradient."""
        return None

    def settle(self, parameters: Parameters) -> None:
        """Round what can be only one of some values to the nearest of these, in place, after an epoch."""
        return None

    @property
    def unit(self) -> float:
        """Change of its parameters that moves delays as far as a step of 1 moves them for positions."""
        return 1.0

    @property
    def learning_rate(self) -> float:
        """The optimiser's step for its parameters."""
        return self.config.position_learning_rate * self.unit

    def absent(self, mask: Tensor) -> int:
        """Numbers that are learned in vain: those of synapses that do not exist by `mask` [N, N] (bool)."""
        return 0
