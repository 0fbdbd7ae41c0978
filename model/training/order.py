"""Which samples an epoch trains on, in which order, and the seeds by which they are varied.

All of it depends on a replicate's seed and the epoch alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from model.arrays import Array
from model.border import kinds_checked
from model.config import LearnerConfig

ORDER_STREAM, AUGMENTATION_STREAM, BLEND_STREAM, DROPOUT_STREAM = 1000, 1001, 1002, 1003
"""Random streams of the order of samples, of their variation and of who is dropped, apart from those of the
parameters."""


class Draws(NamedTuple):
    """U training samples for each of R networks, in order."""

    samples: Array
    """Indices [R, U]."""
    seeds: Array
    """Of what is random about each [R, U]."""
    blended: Array | None
    """Which are blends [R, U] (bool); None: any may be, by chance."""

    def batch(self, start: int, size: int) -> "Draws":
        """`size` of them from `start` on, or as many as there are."""
        part = np.s_[:, start : start + size]
        blended = None if self.blended is None else self.blended[part]
        return Draws(self.samples[part], self.seeds[part], blended)


@kinds_checked
def draws_in_epoch(config: LearnerConfig, size: int) -> int:
    """How many samples an epoch trains on, of a training set of `size`.

    >>> config = LearnerConfig(augment_blend=0.5, augment_blend_adds=True)
    >>> draws_in_epoch(LearnerConfig(), 100), draws_in_epoch(config, 100)
    (100, 150)
    """
    return size + (round(config.augment_blend * size) if config.augment_blend_adds else 0)


@kinds_checked
def draw_epoch(config: LearnerConfig, size: int, seeds: Sequence[int], epoch: int) -> Draws:
    """The draws of an epoch from a training set of `size`, for networks with these seeds."""
    each = [_draw(config, size, seed, epoch) for seed in seeds]
    samples, varied, blended = (np.stack(column) for column in zip(*each, strict=True))
    return Draws(samples, varied, blended if config.augment_blend_adds else None)


@kinds_checked
def draw_dropped(
    config: LearnerConfig, seeds: Sequence[int], epoch: int, start: int, size: int
) -> torch.Tensor | None:
    """Which neurons are dropped [R, B, N] (bool) in `size` draws of an epoch from `start` on; None: none is.

    A neuron is dropped for a whole sample, as a spike is no unit of its own: dropping some of its spikes
    would only weaken it. Source: Srivastava et al., "Dropout", JMLR 15, 2014; the mask that stays the same
    over time is that of Gal & Ghahramani, arXiv 1512.05287, for recurrent networks, and of Lee et al. 2020,
    Frontiers in Neuroscience 14, 119, for spiking ones.
    """
    if config.dropout == 0:
        return None
    draws = [
        np.random.default_rng([seed, DROPOUT_STREAM, epoch, start]).random((size, config.neurons), np.float32)
        for seed in seeds
    ]
    return torch.from_numpy(np.stack(draws) < config.dropout)


def _draw(config: LearnerConfig, size: int, seed: int, epoch: int) -> tuple[Array, Array, Array]:
    """Those of one network: every sample once, and the blends that are added, each of a sample drawn anew.

    A blend has a seed of its own: with that of the epoch it would be moved just as the sample itself is.
    """
    count = draws_in_epoch(config, size)
    order = np.random.default_rng([seed, ORDER_STREAM, epoch]).permutation(count)
    varied = np.full(count, np.random.default_rng([seed, AUGMENTATION_STREAM, epoch]).integers(2**63))
    samples = np.arange(count)
    if count > size:
        stream = np.random.default_rng([seed, BLEND_STREAM, epoch])
        samples[size:] = stream.integers(size, size=count - size)
        varied[size:] = stream.integers(2**63, size=count - size)
    return samples[order], varied[order], order >= size
