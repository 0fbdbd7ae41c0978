"""The weights that networks begin with, as they are drawn, before inputs are scaled to the data."""

import numpy as np

from model.border import kinds_checked, whole
from model.config import LearnerConfig
from model.kernels.scheme import mean_readout
from model.layers import Layers
from model.network.signs import kinds_of, signed

Drawn = dict[str, np.ndarray]
"""Initial values of parameters of one network, by name."""
W_IN, W_REC, W_OUT, DELAYS, NEURONS = range(5)
"""Random streams of a network's parameters, so that no draw shifts another."""


@kinds_checked
def readout_scale(config: LearnerConfig) -> float:
    """Scale of `w_out` at which logits have about unit variance when neurons fire at the initial rate.

    A feature is small, about rate times the mean of the readout's kernel, and of W windows each has a W-th
    of it.
    """
    return float(np.sqrt(config.readout_windows)) / (config.initial_rate * mean_readout(config))


@kinds_checked
def stream(seed: int, number: int) -> np.random.Generator:
    """Random stream `number` of the network of `seed`."""
    return np.random.default_rng([seed, number])


@kinds_checked
def draw_weights(config: LearnerConfig, inputs: int, n_classes: int, seed: int) -> Drawn:
    """Initial weights of one network, by name, as in a `Cohort` but without the axis of networks."""
    for name, value in (("inputs", inputs), ("n_classes", n_classes)):
        whole(value, f"draw_weights: `{name}`", 1)
    whole(seed, "draw_weights: `seed`", 0)
    layers = config.layers
    mean, deviation = _between_neurons(config, layers)
    read_out = layers.read_out
    w_out_sd = readout_scale(config) / np.sqrt(read_out) if config.w_out_sd is None else config.w_out_sd
    w_rec = stream(seed, W_REC).normal(mean, deviation)
    if config.excitatory is not None:
        w_rec = signed(w_rec, kinds_of(layers, config.excitatory))
    return {
        "w_in": _draw_inputs(config, inputs, layers.hearing, stream(seed, W_IN)),
        "w_rec": w_rec * layers.synapses,
        "w_out": stream(seed, W_OUT).normal(0.0, w_out_sd, (read_out, config.readout_windows * n_classes)),
        "b_out": np.zeros(n_classes),
    }


def _between_neurons(config: LearnerConfig, layers: Layers) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each recurrent weight [N, N], by how many neurons act through its block.

    What one layer sends to the next is drawn as inputs are, for it is what the next one has for inputs.
    """
    mean, deviation = np.zeros((2, layers.neurons, layers.neurons))
    for number, own in enumerate(layers.members):
        size = layers.sizes[number]
        within = config.recurrent_gain / np.sqrt(size) if config.w_rec_sd is None else config.w_rec_sd
        deviation[own, own] = within
        for following in layers.members[number + 1 : number + 2]:
            mean[own, following], deviation[own, following] = _of_inputs(size)
    return mean, deviation


def _draw_inputs(config: LearnerConfig, inputs: int, neurons: int, draws: np.random.Generator) -> np.ndarray:
    """Initial input weights of one network: as they are given, or of a form that is scaled afterwards."""
    shape = (inputs, neurons)
    if config.w_in_mean is not None and config.w_in_sd is not None:
        return draws.normal(config.w_in_mean, config.w_in_sd, shape)
    return draws.normal(1 / np.sqrt(inputs), 1.0, shape) / inputs


def _of_inputs(inputs: int) -> tuple[float, float]:
    """Mean and standard deviation of weights from so many `inputs`, before they are scaled.

    The mean weight adds n times, the spread sqrt(n) times: about alike, so that neurons are neither all the
    same, as with weights of one sign, nor silent, as half of them with few inputs.
    """
    return 1 / np.sqrt(inputs) / inputs, 1 / inputs
