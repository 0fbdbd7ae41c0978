"""The wiring cost lambda sum_ij |w_ij| ||x_i - x_j||^p, on weights and on positions."""

import torch
from torch import Tensor

from model.border import kinds_checked
from model.network.cohort import Cohort


def _prices(net: Cohort) -> Tensor:
    """What a unit of weight costs at each synapse, lambda ||x_i - x_j||^p [R, N, N].

    Relative distances are those over their mean, so that shrinking the whole cloud changes nothing.
    """
    config = net.config
    distances = net.distances()
    if config.relative_cost:
        mean = (distances * net.mask).sum((1, 2)) / net.mask.sum((1, 2)).clamp(min=1)
        distances = distances / mean.clamp(min=torch.finfo(distances.dtype).tiny)[:, None, None]
    # p = 0 is plain L1: the power of a zero distance is 1 there.
    return config.wiring_cost * distances**config.wiring_power


@kinds_checked
@torch.no_grad()
def shrink_weights(net: Cohort, learning_rate: float) -> None:
    """One proximal step of the wiring cost on `w_rec`, to follow the optimiser's step.

    Soft thresholding, w <- sign(w) max(|w| - lr lambda ||x_i - x_j||^p, 0), decoupled from the adaptive
    step as weight decay is in AdamW (Loshchilov & Hutter 2019): zeros become true zeros.
    """
    if net.config.wiring_cost == 0 or net.config.cost_on == "positions":
        return
    amount = float(learning_rate) * _prices(net)
    net.w_rec.copy_(net.w_rec.sign() * (net.w_rec.abs() - amount).clamp(min=0))


@kinds_checked
def positions_cost(net: Cohort) -> Tensor | None:
    """The wiring cost of each network [R] as a function of positions alone; None if it does not act there."""
    if net.config.wiring_cost == 0 or net.config.cost_on == "weights":
        return None
    return (net.w_rec.detach().abs() * net.mask * _prices(net)).sum((1, 2))


@kinds_checked
@torch.no_grad()
def prune(net: Cohort, gone: Tensor) -> None:
    """Take synapses `gone` [R, N, N] (bool) out for good."""
    if gone.shape != net.mask.shape or gone.dtype != torch.bool or gone.device != net.mask.device:
        got = f"{list(gone.shape)} of {gone.dtype} on {gone.device}"
        raise ValueError(f"prune: `gone`: got {got}, expected [R, N, N] of torch.bool")
    net.mask &= ~gone
    net.w_rec.masked_fill_(~net.mask, 0)
