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


def _acts(net: Cohort, on: str) -> bool:
    """Whether there is a wiring cost on `weights` or on `positions`."""
    return net.config.wiring_cost > 0 and net.config.cost_on in (on, "both")


@kinds_checked
@torch.no_grad()
def shrink_weights(net: Cohort, learning_rate: float) -> None:
    """One proximal step of the wiring cost on `w_rec`, to follow the optimiser's step.

    Soft thresholding, w <- sign(w) max(|w| - lr lambda ||x_i - x_j||^p, 0), decoupled from the adaptive
    step as weight decay is in AdamW (Loshchilov & Hutter 2019): zeros become true zeros.
    """
    if net.config.cost_step != "proximal" or not _acts(net, "weights"):
        return
    amount = float(learning_rate) * _prices(net)
    net.w_rec.copy_(net.w_rec.sign() * (net.w_rec.abs() - amount).clamp(min=0))


@kinds_checked
def cost_in_loss(net: Cohort) -> Tensor | None:
    """The wiring cost of each network [R] as far as it acts by gradient; None if it does not.

    It is a function of those alone of weights and positions that it is to act on: the others are taken as
    constants. The gradient by a weight is lambda sign(w) ||x_i - x_j||^p, and at zero none.
    """
    weights = net.config.cost_step == "gradient" and _acts(net, "weights")
    positions = _acts(net, "positions")
    if not (weights or positions):
        return None
    w_rec = net.w_rec if weights else net.w_rec.detach()
    prices = _prices(net) if positions else _prices(net).detach()
    return (w_rec.abs() * net.mask * prices).sum((1, 2))


@kinds_checked
@torch.no_grad()
def prune(net: Cohort, gone: Tensor) -> None:
    """Take synapses `gone` [R, N, N] (bool) out for good."""
    if gone.shape != net.mask.shape or gone.dtype != torch.bool or gone.device != net.mask.device:
        got = f"{list(gone.shape)} of {gone.dtype} on {gone.device}"
        raise ValueError(f"prune: `gone`: got {got}, expected [R, N, N] of torch.bool")
    net.mask &= ~gone
    net.w_rec.masked_fill_(~net.mask, 0)
