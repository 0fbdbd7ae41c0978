"""The optimiser of a cohort: Adam with learning rates by kind of parameter, on a schedule, with clipping."""

import math

import torch

from model.cohort import Cohort, readout_scale


def make_optimizer(net: Cohort) -> torch.optim.Adam:
    """Adam (Kingma & Ba 2015) over what `net` learns, each parameter in a group of its own."""
    config = net.config
    rates = {
        # Adam's steps do not know the size of what they change: the readout's weights are large.
        "w_out": config.learning_rate * readout_scale(config) / math.sqrt(config.hidden),
        "positions": config.position_learning_rate,
        "input_positions": config.position_learning_rate,
        "log_delay_scale": config.position_learning_rate,
        "free_delays": config.position_learning_rate * config.delay_scale,
        "axonal_delays": config.position_learning_rate * config.delay_scale,
    }
    groups = [
        {"params": [value], "initial_lr": rates.get(name, config.learning_rate)}
        for name, value in net.named_parameters()
        if value.requires_grad
    ]
    return torch.optim.Adam(groups)


def rate_factor(net: Cohort, epochs: float) -> float:
    """What the learning rates are multiplied by after `epochs` epochs, whole and in part."""
    if net.config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epochs / net.config.epochs))


@torch.no_grad()
def clip_gradients(net: Cohort) -> None:
    """Scale each network's gradient down to norm `gradient_clip`, whatever the others' are."""
    limit = net.config.gradient_clip
    if limit is None:
        return
    grads = [value.grad for value in net.parameters() if value.grad is not None]
    norms = torch.stack([grad.flatten(1).norm(dim=1) for grad in map(_with_columns, grads)]).norm(dim=0)
    factors = (limit / norms.clamp(min=torch.finfo(norms.dtype).tiny)).clamp(max=1)
    for grad in grads:
        grad *= factors.view(-1, *[1] * (grad.dim() - 1))


def _with_columns(grad: torch.Tensor) -> torch.Tensor:
    return grad if grad.dim() > 1 else grad[:, None]
