"""Delays that are learned one by one."""

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from model.embeddings.base import Embedding, Parameters
from model.embeddings.geometry import initial_delays


class Free(Embedding):
    """A learned delay for each synapse, `free_delays` [R, N, N] (ms): there is no space."""

    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """The delays of neurons that are uniform in space, or all the least one."""
        return {"free_delays": initial_delays(neurons, self.config, generator)}

    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """The learned delays."""
        return parameters["free_delays"].clamp(self.config.delay_floor, self.config.max_delay)

    @torch.no_grad()
    def project(self, parameters: Parameters) -> None:
        """Bring delays that fell below the least one, or rose above the greatest, back to it."""
        parameters["free_delays"].clamp_(self.config.delay_floor, self.config.max_delay)

    @property
    def unit(self) -> float:
        """The delay (ms) of a unit of space."""
        return self.config.delay_scale

    @property
    def learning_rate(self) -> float:
        """As for positions, unless it is given in ms."""
        given = self.config.delay_learning_rate
        return super().learning_rate if given is None else given

    def absent(self, mask: Tensor) -> int:
        """A delay for each synapse that does not exist."""
        return int((~mask).sum())
