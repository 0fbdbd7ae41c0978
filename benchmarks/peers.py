"""What the learner is compared with: the same network on a time grid, in plain PyTorch.

Spikes and delays fall on steps, gradients go through a surrogate, and PyTorch keeps every step for its
backward pass. Sizes, weights, inputs, readout and loss are those of the learner.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model import Cohort, LearnerConfig, SpikeDataset
from model.kernels.scheme import gain, make_scheme, steps_of

SLOPE = 10.0
"""Of the surrogate, a fast sigmoid: Zenke, Ganguli, "SuperSpike", Neural Computation 30, 2018."""


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, distance: Tensor) -> Tensor:
        ctx.save_for_backward(distance)
        return (distance >= 0).to(distance.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        (distance,) = ctx.saved_tensors
        found: Tensor = grads[0] / (1 + SLOPE * distance.abs()) ** 2
        return found


def without_delays(net: Cohort, data: SpikeDataset) -> tuple[Tensor, Tensor]:
    """Logits [B, O] and spikes [B, N] of a cohort of one network, every delay one step."""
    drive, n = _drive(net, data), net.config.neurons
    state = _State(net.config, len(data), n)
    arriving = torch.zeros(len(data), n)
    for k in range(net.config.steps):
        arriving = state.step(k, drive[k] + arriving) @ net.w_rec[0]
    return state.features @ net.w_out[0] + net.b_out[0], state.counts


def with_a_ring(net: Cohort, data: SpikeDataset) -> tuple[Tensor, Tensor]:
    """Logits [B, O] and spikes [B, N], delays from positions: a ring of all that is still to arrive.

    A spike is shared between the two steps around its arrival, so that delays have a derivative.
    """
    drive, n = _drive(net, data), net.config.neurons
    delays = net.delays()[0] / net.config.dt - 1
    whole = delays.floor()
    slots = int(whole.max()) + 2
    share = delays - whole
    entry = whole.long() * n + torch.arange(n)
    weights = net.w_rec[0] * net.mask[0]
    spread = torch.zeros(n, slots * n).scatter(1, entry, weights * (1 - share))
    spread = spread + torch.zeros(n, slots * n).scatter(1, entry + n, weights * share)
    state = _State(net.config, len(data), n)
    ring = torch.zeros(len(data), slots, n)
    empty = torch.zeros(len(data), 1, n)
    for k in range(net.config.steps):
        arriving, later = ring.split([1, slots - 1], 1)
        sent = state.step(k, drive[k] + arriving[:, 0]) @ spread
        ring = torch.cat([later, empty], 1) + sent.view_as(ring)
    return state.features @ net.w_out[0] + net.b_out[0], state.counts


class _State:
    """Membranes, synapses and what has been read out so far, [B, N] each."""

    def __init__(self, config: LearnerConfig, samples: int, n: int) -> None:
        scheme = make_scheme(config, np.float64)
        self.kernel = (scheme.out_t - scheme.out_m + scheme.out_s).tolist()
        self.decay_m, self.decay_s = (
            math.exp(-config.dt / config.tau_mem),
            math.exp(-config.dt / config.tau_syn),
        )
        self.gain, self.threshold = gain(config.tau_mem, config.tau_syn), config.threshold
        self.membrane = self.synapse = self.features = self.counts = torch.zeros(samples, n)

    def step(self, k: int, arriving: Tensor) -> Tensor:
        """Spikes of step `k`."""
        self.membrane = self.membrane * self.decay_m + arriving * self.gain
        self.synapse = self.synapse * self.decay_s + arriving * self.gain
        spikes: Tensor = _Spike.apply(self.membrane - self.synapse - self.threshold)  # type: ignore[no-untyped-call]
        self.membrane = self.membrane - spikes * self.threshold
        self.features = self.features + spikes * self.kernel[k]
        self.counts = self.counts + spikes.detach()
        return spikes


def _drive(net: Cohort, data: SpikeDataset) -> Sequence[Tensor]:
    """What the inputs send to each neuron, a tensor [B, N] for each step."""
    steps, samples = net.config.steps, len(data)
    step = steps_of(data.times.flat, net.config.dt).astype(np.int64)
    sample = np.repeat(np.arange(samples), data.times.lengths)
    inside = step < steps
    dense = torch.zeros(steps * samples, net.n_channels)
    place = torch.from_numpy((step * samples + sample)[inside])
    channel = torch.from_numpy(data.channels.flat[inside].astype(np.int64))
    dense.index_put_((place, channel), torch.ones(()), accumulate=True)
    return (dense @ net.w_in[0]).view(steps, samples, -1).unbind()


PEERS = {"plain PyTorch, no delays": without_delays, "plain PyTorch, positions, ring": with_a_ring}


def time_peer(name: str, net: Cohort, data: SpikeDataset) -> tuple[float, float]:
    """Seconds a sample, forward and backward, and hidden spikes a sample."""
    torch.set_flush_denormal(True)  # or the silent end of a sample would cost more than all before it
    start = time.perf_counter()
    logits, counts = PEERS[name](net, data)
    functional.cross_entropy(logits, torch.from_numpy(data.labels)).backward()
    seconds = time.perf_counter() - start
    torch.set_flush_denormal(False)
    return seconds / len(data), counts.sum().item() / len(data)
