"""A start taken from the data: every neuron's input weights scaled so that it fires at the wanted rate.

Untuned, a network on a new data set starts silent, or saturated, and never learns.
"""

from collections.abc import Callable

import numpy as np
import torch

from model.border import kinds_checked
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
def scale_inputs(net: Cohort, data: SpikeDataset) -> None:
    """Scale each neuron's input weights so that it fires `initial_rate` spikes a sample of `data`.

    First the gain at which a network's mean rate is right is found to a factor of 2, then a gain for each
    neuron around it, by bisection of the logarithm, all neurons at once (their recurrent input is weak at
    the start). One gain a network would not do: with many inputs the potentials of its neurons are so alike
    that most would be silent and the others hot. A network that no gain makes fire is left as it is: that
    it stays silent is a result.
    """
    # Spread over the data and the same for every replicate: the start does not depend on any order.
    samples = np.tile(spread(len(data), SAMPLES), (net.replicates, 1))
    drawn = net.w_in.clone()

    def rates(gain: torch.Tensor) -> torch.Tensor:
        net.w_in.copy_(drawn * gain[:, None])
        counts: torch.Tensor = net(data, samples).counts
        return counts.mean(1)

    centre = _network_gain(rates, torch.ones_like(drawn[:, 0]), net.config.initial_rate)
    low, high = centre / REACH, centre * REACH
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        slow = rates(middle) < net.config.initial_rate
        low, high = torch.where(slow, middle, low), torch.where(slow, high, middle)
    fires = (rates(high) > 0).any(1, keepdim=True)
    net.w_in.copy_(drawn * torch.where(fires, high, 1.0)[:, None])


def _network_gain(
    rates: Callable[[torch.Tensor], torch.Tensor], gain: torch.Tensor, target: float
) -> torch.Tensor:
    """Gain [R, N], the same for all neurons of a network, at which its mean rate is about `target`."""
    for factor in (2.0, 0.5):
        for _ in range(DOUBLINGS):
            mean = rates(gain).mean(1, keepdim=True)
            off = mean < target if factor > 1 else mean >= 2 * target
            if not off.any():
                break
            gain = torch.where(off, factor * gain, gain)
    return gain
