"""The optimiser of a cohort: Adam with steps in natural units, a schedule, and clipping."""

import math

import numpy as np
import torch
from torch import Tensor

from model.border import kinds_checked
from model.datasets import SpikeDataset
from model.datasets.split import spread
from model.kernels.cpu.gain import gains_of
from model.network.cohort import Cohort
from model.network.drawing import readout_scale
from model.training.adam import Adam

SAMPLES = 256
"""Samples of a data set that are looked at for how crowded its spikes are."""


@kinds_checked
def make_optimizer(net: Cohort, train: SpikeDataset) -> Adam:
    """Adam over what `net` learns.

    Adam's steps do not know the size of what they change, and `learning_rate` is to mean the same for 5
    input channels and for 700. So its unit is, for input and recurrent weights, a step that moves a potential
    by the threshold if all synapses of a neuron take it together; the more spikes crowd within a membrane
    time constant, the smaller it is. For the readout it is the spread of its weights at the start. A rate of
    its own, such as `w_in_learning_rate`, is the step as it stands. What delays are made of has the rate that
    its embedding says, and what neurons have of their own that of their model.
    """
    config = net.config
    inputs = config.threshold / crowding(train, config.tau_mem)
    # At the start, hidden spikes are as crowded as input spikes, but for the number that a neuron hears.
    layers = config.layers
    heard = max(1.0, layers.fan_in) * config.initial_rate
    input_spikes = max(1.0, train.times.flat.size / max(1, len(train)))
    units = {
        "w_in": inputs / _mean_gain(net, train),
        "w_rec": inputs * input_spikes / heard,
        "w_out": readout_scale(config) / math.sqrt(layers.read_out),
        "b_out": 1.0,
    }
    rates = {name: config.learning_rate * unit for name, unit in units.items()}
    rates |= net.neuron.learning_rates()
    for name in ("w_in", "w_rec", "w_out"):
        given: float | None = getattr(config, f"{name}_learning_rate")
        rates[name] = rates[name] if given is None else given
    # All that is not a weight lies in the embedding's space, input positions too.
    learned = {name: value for name, value in net.named_parameters() if value.requires_grad}
    return Adam({value: rates.get(name, net.embedding.learning_rate) for name, value in learned.items()})


@kinds_checked
def crowding(data: SpikeDataset, window: float) -> float:
    """Mean number of spikes in the `window` (ms) that ends with a spike, that one included; at least 1.

    >>> crowding(SpikeDataset.from_events([([0.0, 1.0, 5.0], [0, 0, 0])], [0], 1, 1), 2.0)
    1.3333333333333333
    """
    near = spikes = 0
    for times in (data.times[i] for i in spread(len(data), SAMPLES)):
        near += int((np.arange(1, len(times) + 1) - np.searchsorted(times, times - window, "right")).sum())
        spikes += len(times)
    return near / spikes if spikes else 1.0


def _mean_gain(net: Cohort, data: SpikeDataset) -> float:
    """Mean factor with which input spikes act, by the normalisation of the drive; 1 without it."""
    config = net.config
    if config.drive_norm == 0:
        return 1.0
    seen = data.subset(spread(len(data), SAMPLES))
    inputs, count = seen.channels.flat // config.pool_channels, net.w_in.shape[1]
    gains = gains_of(seen.times.offsets, seen.times.flat, inputs, count, config)
    return float(gains.mean()) if gains.size else 1.0


@kinds_checked
def rate_factor(net: Cohort, epochs: float) -> float:
    """The factor of all learning rates after `epochs` epochs, whole and in part."""
    if net.config.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epochs / net.config.epochs))


@kinds_checked
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


def _with_columns(grad: Tensor) -> Tensor:
    return grad if grad.dim() > 1 else grad[:, None]
