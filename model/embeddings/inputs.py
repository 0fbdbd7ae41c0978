"""Where input channels sit, so that their delays are distances to the neurons."""

from collections.abc import Callable
from math import pi

import numpy as np
from torch import Tensor

from model.config import LearnerConfig
from model.embeddings.base import Parameters
from model.embeddings.geometry import distances_between, side_of


def line_positions(channels: int, config: LearnerConfig) -> np.ndarray:
    """Positions [C, D] of channels in order on a line along the first axis, as long as the neurons' cube."""
    positions = np.zeros((channels, config.dimensions))
    positions[:, 0] = np.linspace(-0.5, 0.5, channels) * side_of(config)
    return positions


def circle_positions(channels: int, config: LearnerConfig) -> np.ndarray:
    """Positions [C, D] of channels in order on a circle in the first two axes, touching the neurons' cube."""
    angle = 2 * pi * np.arange(channels) / channels
    positions = np.zeros((channels, config.dimensions))
    positions[:, :2] = np.stack([np.cos(angle), np.sin(angle)], 1) * side_of(config) / 2
    return positions


ARRANGEMENTS: dict[str, Callable[[int, LearnerConfig], np.ndarray]] = {
    "line": line_positions,
    "circle": circle_positions,
}
"""Arrangements of C channels by name; with `none` channels sit nowhere."""


class Inputs:
    """The embedding of I inputs: at `input_positions` [R, I, D], or nowhere, and then spikes arrive at once.

    As with an `Embedding` of neurons, the numbers are parameters of the networks.
    """

    def __init__(self, config: LearnerConfig) -> None:
        self.config = config

    def draw(self, inputs: int) -> dict[str, np.ndarray]:
        """Initial values of the parameters in one network, by name; they are not random."""
        if self.config.input_embedding == "none":
            return {}
        place = ARRANGEMENTS[self.config.input_embedding]
        return {"input_positions": place(inputs, self.config)}

    def learns(self, name: str) -> bool:
        """Whether its parameter `name` is learned."""
        return self.config.learn_input_positions

    def delays(self, parameters: Parameters, delay_scale: Tensor | float) -> Tensor | None:
        """Delays of the inputs [R, I, M] (ms) to those who hear them; None if spikes arrive at once."""
        if self.config.input_embedding == "none":
            return None
        hearing = parameters["positions"][:, : self.config.layers.hearing]
        return delay_scale * distances_between(parameters["input_positions"], hearing)
