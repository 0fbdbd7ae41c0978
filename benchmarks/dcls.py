"""A peer that learns delays, too: DCLS-Delays in plain PyTorch.

Hammouamri, Khalfaoui-Hassani and Masquelier, "Learning Delays in Spiking Neural Networks using Dilated
Convolutions with Learnable Spacings", ICLR 2024 (arXiv 2306.17670). A synapse is a convolution in time whose
kernel is a Gaussian about the delay; its width shrinks to a single step over the first quarter of training.
Layers, constants, optimisers and schedules are those of their published recipe for SHD: two layers of 256
neurons, steps of 10 ms, 5 channels in one, delays up to 240 ms.

The convolutions are done by Fourier transforms, which is the same function, and here some ten times faster
than taps summed one by one: what is compared is not slowed down.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from model import SpikeDataset

STEP, POOLED = 10.0, 5
"""Length of a step (ms), and how many channels are one."""
TAPS, LATER = 25, 12
"""Delays there are, 0 to 24 steps, and by how many steps each layer goes on beyond its input."""
LEAST_WIDTH, FLOOR = 0.23, 0.27
"""Of the Gaussians (steps): what it shrinks to, and what is always added to it."""
Frames = Tensor
"""Spikes a step [B, C, T]."""


@dataclass(frozen=True)
class Recipe:
    """What may be changed about the published recipe."""

    epochs: int = 150
    batch_size: int = 256
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.4
    learning_rate: float = 1e-3
    """It rises to five times as much, and falls again to next to nothing."""
    delay_learning_rate: float = 0.1
    """In steps; it falls along half a cosine."""
    learn_delays: bool = True


class _Spike(torch.autograd.Function):
    """A threshold at 0 with an arc tangent as surrogate (alpha 5)."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor) -> Tensor:
        ctx.save_for_backward(distance)
        return (distance >= 0).to(distance.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        (distance,) = ctx.saved_tensors
        found: Tensor = grads[0] * 2.5 / (1 + (math.pi / 2 * 5 * distance) ** 2)
        return found


class Delayed(nn.Module):
    """Synapses from C to N neurons, each with a weight and a delay."""

    def __init__(self, inputs: int, outputs: int, learn: bool) -> None:
        super().__init__()
        weight = torch.empty(outputs, inputs, 1)
        nn.init.kaiming_uniform_(weight, nonlinearity="relu")
        self.weight = nn.Parameter(weight[:, :, 0].T.contiguous())
        self.delay = nn.Parameter(torch.rand(inputs, outputs) * (TAPS - 1), requires_grad=learn)

    def kernel(self, width: float) -> Tensor:
        """Weights of each delay [taps, C, N]."""
        taps = torch.arange(TAPS)[:, None, None]
        if not self.training:
            alone: Tensor = self.weight * (taps == self.delay.round())
            return alone
        bell = torch.exp(-0.5 * ((taps - self.delay) / (width + FLOOR)) ** 2)
        spread: Tensor = self.weight * bell / (bell.sum(0) + 1e-7)
        return spread

    def forward(self, spikes: Frames, width: float) -> Frames:
        """What arrives: [B, C, T] in, [B, N, T + 12] out."""
        length = spikes.shape[2] + LATER
        size = _fast(spikes.shape[2] + TAPS - 1)
        sent = torch.fft.rfft(spikes, size).permute(2, 0, 1)
        kernel = torch.fft.rfft(self.kernel(width), size, dim=0)
        arriving: Frames = torch.fft.irfft(torch.bmm(sent, kernel), size, dim=0)[:length]
        return arriving.permute(1, 2, 0)


def _fast(length: int) -> int:
    """The least length of at least `length` that has small factors alone, which transforms are fast at."""
    return next(size for size in range(length, 2 * length) if _is_smooth(size))


def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number == 1


class DclsDelays(nn.Module):
    """Layers of leaky neurons that are reset to 0, batch normalisation, dropout, and a leaky readout."""

    def __init__(self, recipe: Recipe, channels: int, classes: int) -> None:
        super().__init__()
        sizes = [channels, *[recipe.hidden] * recipe.layers, classes]
        self.synapses = nn.ModuleList(
            Delayed(inputs, outputs, recipe.learn_delays) for inputs, outputs in pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in sizes[1:-1])
        self.dropout = recipe.dropout
        self.decay = 1 - STEP / 10.05
        self.width = float(TAPS // 2)

    def forward(self, spikes: Frames) -> Tensor:
        """Sum over time of what the readout would answer at each step [B, O]."""
        for synapses, norm in zip(self.synapses, self.norms, strict=False):
            spikes = self._fire(norm(synapses(spikes, self.width)))
            # The same neurons are silent for a whole sample.
            kept = functional.dropout(torch.ones(spikes.shape[:2]), self.dropout, self.training)
            spikes = spikes * kept.unsqueeze(2)
        drive = self.synapses[-1](spikes, self.width).unbind(2)
        potential, answers = torch.zeros_like(drive[0]), torch.zeros_like(drive[0])
        for arriving in drive:
            potential = potential * self.decay + arriving
            answers = answers + potential.softmax(1)
        return answers

    def _fire(self, drive: Tensor) -> Frames:
        potential = torch.zeros_like(drive[:, :, 0])
        found = []
        for arriving in drive.unbind(2):
            potential = potential * self.decay + arriving
            spikes = _Spike.apply(potential - 1)  # type: ignore[no-untyped-call]
            potential = potential * (1 - spikes.detach())
            found.append(spikes)
        return torch.stack(found, 2)


def frames(data: SpikeDataset, duration: float) -> Frames:
    """Spikes of each sample a step and pooled channel [S, C, T]."""
    steps, channels = int(duration / STEP), -(-data.n_channels // POOLED)
    step = (data.times.flat / STEP).astype(np.int64)
    sample = np.repeat(np.arange(len(data)), data.times.lengths)
    inside = step < steps
    place = (sample * channels + data.channels.flat.astype(np.int64) // POOLED) * steps + step
    counts = np.bincount(place[inside], minlength=len(data) * channels * steps)
    return torch.from_numpy(counts.astype(np.float32)).view(len(data), channels, steps)


def train(
    recipe: Recipe,
    drawn: Callable[[int], tuple[Frames, Tensor]],
    classes: int,
    seed: int,
    said: Callable[[int, float, DclsDelays], None],
) -> DclsDelays:
    """Train a network; `drawn` has the samples and labels of an epoch, `said` is told epoch and loss."""
    torch.manual_seed(seed)
    samples, _ = drawn(0)
    net = DclsDelays(recipe, samples.shape[1], classes)
    named = dict(net.named_parameters())
    delays = [value for name, value in named.items() if name.endswith("delay")]
    others = [value for name, value in named.items() if not name.endswith("delay")]
    weights = torch.optim.Adam(others, recipe.learning_rate, weight_decay=1e-5)
    places = torch.optim.Adam(delays, recipe.delay_learning_rate)
    rates = [
        torch.optim.lr_scheduler.OneCycleLR(weights, 5 * recipe.learning_rate, total_steps=recipe.epochs + 1),
        torch.optim.lr_scheduler.CosineAnnealingLR(places, recipe.epochs),
    ]
    shrinking = recipe.epochs // 4 if recipe.learn_delays else 0
    if not shrinking:
        net.width = 0.0
    for epoch in range(recipe.epochs):
        samples, labels = drawn(epoch)
        net.train()
        total = 0.0
        for batch in torch.randperm(len(labels)).split(recipe.batch_size):
            loss = functional.cross_entropy(net(samples[batch]), labels[batch])
            weights.zero_grad()
            places.zero_grad()
            loss.backward()
            weights.step()
            if recipe.learn_delays:
                places.step()
            with torch.no_grad():
                for delay in delays:
                    delay.clamp_(0, TAPS - 1)
            total += loss.item() * len(batch)
        for rate in rates:
            rate.step()
        if epoch < shrinking:
            net.width *= (LEAST_WIDTH / (TAPS // 2)) ** (1 / shrinking)
        said(epoch + 1, total / len(labels), net)
    return net


@torch.no_grad()
def answers(net: DclsDelays, samples: Frames) -> Tensor:
    """The class that the network says of each sample [S], each delay a whole step."""
    net.eval()
    return torch.cat([net(part).argmax(1) for part in samples.split(250)])
