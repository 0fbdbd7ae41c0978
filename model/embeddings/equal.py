"""Delays that are all the same, the least one."""

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from model.embeddings.base import Embedding, Parameters


class Equal(Embedding):
    """The least delay for every synapse: nothing to learn, and no space."""

    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """Nothing: there are no parameters."""
        return {}

    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """The least delay."""
        return torch.full_like(like, self.config.delay_floor, requires_grad=False)
