"""A start taken from the data: input weights scaled so that the networks fire at the wanted rate.

Untuned, a network on a new data set starts silent, or saturated, and never learns.
"""

import numpy as np
import torch

from model.cohort import Cohort
from model.datasets import SpikeDataset

SAMPLES = 64
DOUBLINGS = 40
HALVINGS = 8


@torch.no_grad()
def scale_inputs(net: Cohort, data: SpikeDataset) -> None:
    """Scale each replicate's `w_in` so that its mean rate on some samples of `data` is `initial_rate`.

    The gain is bracketed by doubling and found by bisection of its logarithm. A network that no gain makes
    fire (there are no input spikes) is left as it is: that it stays silent is a result.
    """
    # Spread over the data and the same for every replicate: the start does not depend on any order.
    chosen = np.unique(np.linspace(0, len(data) - 1, min(SAMPLES, len(data))).astype(np.int64))
    samples = np.tile(chosen, (net.replicates, 1))
    drawn = net.w_in.clone()
    target = net.config.initial_rate

    def too_slow(gain: torch.Tensor) -> torch.Tensor:
        net.w_in.copy_(drawn * gain[:, None, None])
        counts: torch.Tensor = net(data, samples).counts
        return counts.sum((1, 2)) < target * counts.shape[1] * counts.shape[2]

    high = torch.ones(net.replicates, dtype=drawn.dtype)
    for _ in range(DOUBLINGS):
        slow = too_slow(high)
        if not slow.any():
            break
        high = torch.where(slow, 2 * high, high)
    low = high / 2
    for _ in range(DOUBLINGS):
        slow = too_slow(low)
        if slow.all():
            break
        low = torch.where(slow, low, low / 2)
    reachable = ~too_slow(high)
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        slow = too_slow(middle)
        low, high = torch.where(slow, middle, low), torch.where(slow, high, middle)
    net.w_in.copy_(drawn * torch.where(reachable, high, 1.0)[:, None, None])
