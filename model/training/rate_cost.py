"""Control of firing rates: a cost that draws neurons to a rate, and revival of silent ones."""

import torch
from torch import Tensor

from model.border import kinds_checked
from model.network.cohort import Cohort


@kinds_checked
def rate_cost(net: Cohort, counts: Tensor) -> Tensor | None:
    """Cost of the firing rates of a batch [R], from its `counts` [R, B, N]; None if there is none.

    rate_cost mean_j (rate_j / target_rate - 1)^2, differentiated by the pseudo-derivative of counts. A silent
    neuron has no spike to move, and is left to `revive`.
    """
    if net.config.rate_cost == 0:
        return None
    if counts.dim() != 3:
        raise ValueError(f"rate_cost: `counts`: got shape {list(counts.shape)}, expected [R, B, N]")
    rates = counts.mean(1)
    return net.config.rate_cost * (rates / net.config.target_rate - 1).square().mean(1)


@kinds_checked
@torch.no_grad()
def revive(net: Cohort, silent: Tensor) -> None:
    """Strengthen the inputs of neurons `silent` [R, N] (bool) by `revival` mean input weights.

    A neuron that hears no inputs has the neurons of the layer before for inputs, and those weights are meant.
    """
    if silent.shape != (net.replicates, net.config.neurons):
        raise ValueError(f"revive: `silent`: got shape {list(silent.shape)}, expected [R, N]")
    if net.config.revival == 0:
        return
    for layer, own in enumerate(net.layers.members):
        weights = net.afferents(layer)[0]
        size = weights.abs().mean((1, 2))
        weights.add_((net.config.revival * size[:, None] * silent[:, own])[:, None, :])
    net.w_rec.masked_fill_(~net.mask, 0)  # what was taken out stays so
