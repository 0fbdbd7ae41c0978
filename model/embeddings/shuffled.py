"""Delays of neurons in space, dealt out at random: the same delays without the geometry."""

import numpy as np
from numpy.random import Generator
from torch import Tensor

from model.embeddings.base import Embedding, Parameters
from model.embeddings.geometry import draw_delays


class Shuffled(Embedding):
    """Delays that stay as they were drawn, `shuffled_delays` [R, N, N] (ms): there is no space.

    A network has the very delays of a `fixed` one of its seed, each at another synapse. So what `fixed` does
    better than it is due to the geometry of delays (they are symmetric, and keep to the triangle inequality),
    not to how many of them are short.
    """

    def draw(self, neurons: int, generator: Generator) -> dict[str, np.ndarray]:
        """The delays of neurons that are uniform in space, in random order over all synapses."""
        delays = draw_delays(neurons, self.config, generator)
        synapses = self.config.layers.synapses
        delays[synapses] = generator.permutation(delays[synapses])
        return {"shuffled_delays": delays}

    def learns(self, name: str) -> bool:
        """Nothing is learned."""
        return False

    def delays(self, parameters: Parameters, like: Tensor) -> Tensor:
        """The delays as they were dealt out."""
        return parameters["shuffled_delays"]
