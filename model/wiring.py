"""The wiring cost lambda sum_ij |w_ij| ||x_i - x_j||^p, acting on the weights."""

import torch

from model.cohort import Cohort


@torch.no_grad()
def shrink_weights(net: Cohort, learning_rate: float) -> None:
    """One proximal step of the wiring cost on `w_rec`, to follow the optimiser's step.

    Soft thresholding, w <- sign(w) max(|w| - lr lambda ||x_i - x_j||^p, 0), decoupled from the adaptive
    step as weight decay is in AdamW (Loshchilov & Hutter 2019): zeros become true zeros.
    """
    config = net.config
    if config.wiring_cost == 0:
        return
    # p = 0 is plain L1: the power of a zero distance is 1 there.
    amount = learning_rate * config.wiring_cost * net.distances() ** config.wiring_power
    net.w_rec.copy_(net.w_rec.sign() * (net.w_rec.abs() - amount).clamp(min=0))
