"""Delays of axons: a neuron's spike arrives at all of its targets at once."""

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from model.embeddings.base import Embedding, Parameters
from model.embeddings.geometry import initial_delays


class Axonal(Embedding):
    """A learned delay for each presynaptic neuron, `axonal_delays` [R, N] (ms): there is no space."""

    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """The delay of each neuron's synapse onto the next one, as if both were in space; or the least."""
        delays = initial_delays(neurons, self.config, generator)
        return {"axonal_delays": np.diagonal(np.roll(delays, 1, axis=1)).copy()}

    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """The presynaptic neuron's delay, for each of its synapses."""
        return (
            parameters["axonal_delays"]
            .clamp(self.config.delay_floor, self.config.max_delay)
            .unsqueeze(2)
            .expand_as(like)
        )

    @torch.no_grad()
    def project(self, parameters: Parameters) -> None:
        """Bring delays that fell below the least one, or rose above the greatest, back to it."""
        parameters["axonal_delays"].clamp_(self.config.delay_floor, self.config.max_delay)

    @property
    def unit(self) -> float:
        """The delay (ms) of a unit of space."""
        return self.config.delay_scale

    @property
    def learning_rate(self) -> float:
        """As for positions, unless it is given in ms."""
        given = self.config.delay_learning_rate
        return super().learning_rate if given is None else given
