"""Delays that are distances: positions that are learned, or drawn and kept."""

import numpy as np
from numpy.random import Generator
from torch import Tensor

from model.embeddings.base import Embedding, Parameters
from model.embeddings.geometry import draw_positions, pairwise_distances
from model.embeddings.limits import space_limits


class Space(Embedding):
    """Neurons at learned `positions` [R, N, D]; the delay of a synapse is d_min + s ||x_i - x_j||.

    With `learn_delay_scale` the logarithm of s, `log_delay_scale` [R], is a parameter as well.
    """

    in_space = True

    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """Positions, uniform in a cube; where it is learned, the scale."""
        drawn = {"positions": draw_positions(neurons, self.config, generator)}
        if self.config.learn_delay_scale:
            drawn["log_delay_scale"] = np.log(self.config.delay_scale)
        return drawn

    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """Delays in proportion to distances, beyond the least one."""
        return self.config.delay_floor + self.delay_scale(parameters) * self.distances(parameters, like)

    def distances(self, parameters: Parameters, like: Tensor) -> Tensor:
        """Euclidean distances of the positions."""
        return pairwise_distances(parameters["positions"])

    def project(self, parameters: Parameters) -> None:
        """Bring neurons back that left the space they may be in, or came too near to each other."""
        space_limits(self.config).project(parameters["positions"])

    def settle(self, parameters: Parameters) -> None:
        """Put neurons on the grid, if there is one."""
        space_limits(self.config).settle(parameters["positions"])

    def delay_scale(self, parameters: Parameters) -> Tensor | float:
        """The scale s, each network's own where it is learned."""
        if self.config.learn_delay_scale:
            return parameters["log_delay_scale"].exp()[:, None, None]
        return self.config.delay_scale


class Fixed(Space):
    """Neurons at positions that stay where they were drawn."""

    def learns(self, name: str) -> bool:
        """All but the positions: the scale may be learned."""
        return name != "positions"
