"""Neuron models by name."""

from model.config import LearnerConfig
from model.neurons.adaptive_lif import AdaptiveLif
from model.neurons.lif import Lif

MODELS: dict[str, type[Lif]] = {"lif": Lif, "adaptive_lif": AdaptiveLif}
"""The models by the names that `LearnerConfig.neuron` has for them."""


def neuron_of(config: LearnerConfig) -> Lif:
    """The neuron model of a configuration."""
    return MODELS[config.neuron](config)
