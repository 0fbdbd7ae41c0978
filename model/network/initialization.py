"""A start taken from the data: what every neuron hears scaled so that it fires at the wanted rate.

Untuned, a network on a new data set starts silent, or saturated, and never learns.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from model.arrays import Ints
from model.border import kinds_checked
from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.datasets.split import spread
from model.network.cohort import Cohort

SAMPLES = 64
DOUBLINGS = 40
HALVINGS = 9
REACH = 16.0
"""A neuron's gain is sought within this factor of its network's."""


@kinds_checked
@torch.no_grad()
def scale_inputs(net: Cohort, data: SpikeDataset, layers: Sequence[int] | None = None) -> None:
    """Scale what each neuron hears so that it fires `initial_rate` spikes a sample of `data`.

    In the first layer these are its input weights, in another one those from the layer before (and from
    inputs where `inputs_to` is all), one layer after the other. First the gain at which the mean rate of a
    layer is right is found to a factor of 2, then a gain for each neuron around it, by bisection of the
    logarithm, all neurons at once (their recurrent input is weak at the start). One gain for all would not
    do: with many inputs the potentials of neurons are so alike that most would be silent and the others hot.
    A layer that no gain makes fire is left as it is: that it stays silent is a result.

    Args:
        net: the networks, whose weights are changed.
        data: samples of the task.
        layers: numbers of the layers that are scaled, ascending, from 0; None: all of them.

    Raises ValueError if there is no such layer, or the data has other channels than the networks.
    """
    net.check_data(data)
    # Spread over the data and the same for every replicate: the start does not depend on any order.
    samples = np.tile(spread(len(data), SAMPLES), (net.replicates, 1))
    for layer in range(len(net.layers.sizes)) if layers is None else layers:
        _scale_layer(net, data, samples, layer)


@kinds_checked
def layers_to_scale(config: LearnerConfig, weights_given: bool) -> list[int]:
    """Numbers of the layers that hear through drawn weights alone: what is given as it stands is not scaled.

    `weights_given` says whether the weights between neurons are given; those of inputs are by `w_in_mean`.
    """
    layers, found = config.layers, []
    for number, own in enumerate(layers.members):
        inputs_given = own.start < layers.hearing and config.w_in_mean is not None
        if not inputs_given and not (weights_given and number > 0 and layers.feedforward):
            found.append(number)
    return found


def _scale_layer(net: Cohort, data: SpikeDataset, samples: Ints, layer: int) -> None:
    """Scale what the neurons of one layer hear."""
    heard = net.afferents(layer)
    drawn, own = [weights.clone() for weights in heard], net.layers.members[layer]

    def scale(gain: torch.Tensor) -> None:
        for weights, before in zip(heard, drawn, strict=True):
            weights.copy_(before * gain[:, None])

    def rates(gain: torch.Tensor) -> torch.Tensor:
        scale(gain)
        counts: torch.Tensor = net(data, samples).counts
        return counts[..., own].mean(1)

    centre = _layer_gain(rates, torch.ones_like(drawn[0][:, 0]), net.config.initial_rate)
    low, high = centre / REACH, centre * REACH
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        slow = rates(middle) < net.config.initial_rate
        low, high = torch.where(slow, middle, low), torch.where(slow, high, middle)
    fires = (rates(high) > 0).any(1, keepdim=True)
    scale(torch.where(fires, high, 1.0))


def _layer_gain(
    rates: Callable[[torch.Tensor], torch.Tensor], gain: torch.Tensor, target: float
) -> torch.Tensor:
    """Gain [R, n], the same for all neurons of a layer, at which its mean rate is about `target`."""
    for factor in (2.0, 0.5):
        for _ in range(DOUBLINGS):
            mean = rates(gain).mean(1, keepdim=True)
            off = mean < target if factor > 1 else mean >= 2 * target
            if not off.any():
                break
            gain = torch.where(off, factor * gain, gain)
    return gain
