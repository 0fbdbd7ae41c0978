"""What may be varied, and variations of given samples. Shapes: U draws, S samples."""

import math
from dataclasses import fields
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from model.augmentation.kernel import Ranges, Source, choose_partners, draw_events, stream_keys
from model.border import as_array, kinds_checked, sample_indices
from model.config import LearnerConfig
from model.datasets import Ragged, SpikeDataset
from model.fields import STRICT, RealOnly, Share, faults_in_words, show


@faults_in_words
@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """How samples are varied; all zero: not at all. Raises ValueError if a value is not legal.

    Source: Nowotny, Turner, Knight, "Loss shaping enhances exact gradient learning with Eventprop in
    spiking neural networks", arXiv 2212.01232.
    """

    shift: Annotated[float, Field(ge=0, le=1e9), RealOnly] = 0.0
    """Largest shift (channels): the channels of a sample move together by a whole number, uniform from -shift
    to shift."""
    warp: Annotated[float, Field(ge=0, le=1e9), RealOnly] = 0.0
    """Largest displacement (channels) of the first, the middle and the last channel, each uniform from -warp
    to warp by itself; between them it is interpolated. Where channels are pitches, as if another throat
    spoke. Source: Jaitly, Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition", ICML
    workshop 2013 (there, one factor for all)."""
    blend: Share = 0.0
    """Probability that a sample is blended with another one of its class, drawn uniformly: both are moved in
    time and in channels until their centres of mass meet half-way, and each spike of either is taken with
    probability 1/2. A sample alone in its class is not blended, and one without spikes moves nothing."""
    stretch: Share = 0.0
    """The times of a sample are multiplied by a number, uniform from 1 - stretch to 1 + stretch."""
    jitter: Annotated[float, Field(ge=0, le=1e6), RealOnly] = 0.0
    """Standard deviation (ms) of the normal noise that is added to each spike's time; a time that falls below
    0 is reflected there."""
    drop: Share = 0.0
    """Probability that a spike is dropped."""

    @classmethod
    def of(cls, config: LearnerConfig) -> Self:
        """The augmentation that a learner's configuration asks for, by its fields `augment_shift` and so on.

        >>> Augmentation.of(LearnerConfig(augment_shift=2.0)) == Augmentation(shift=2.0)
        True
        """
        return cls(**{one.name: getattr(config, f"augment_{one.name}") for one in fields(cls)})


@kinds_checked
def augment(
    data: SpikeDataset,
    samples: ArrayLike,
    seeds: ArrayLike,
    augmentation: Augmentation,
    blended: NDArray[np.bool_] | None = None,
) -> tuple[Ragged, Ragged]:
    """One random variation of each of `samples`.

    A variation depends on its own seed, its own sample and the data alone, not on the others in the call.
    Where several occur, a blend comes first, then shift, warp and stretch, and then the jitter.

    Args:
        data: the samples to vary.
        samples: indices into `data` [U]; negative ones count from the end.
        seeds: whole numbers of 64 bits [U]. Equal ones do no harm: a sample's index counts too.
        augmentation: what is varied.
        blended: which of the draws are blends [U]; None: each by chance, as `augmentation` says.

    Returns:
        Times (ms) and channels of U samples, of the types of `data`, with the same offsets. Within a sample
        times ascend. A spike that is moved below time 0, or outside the channels, is dropped.

    Raises:
        ValueError: if `samples` and `seeds` are not of one length, or a seed is no whole number.
        IndexError: if a sample is out of range, or its index is no whole number.

    >>> data = SpikeDataset.from_events([([1.0, 4.0], [0, 1]), ([3.0], [1])], [0, 1], 2, 2)
    >>> times, channels = augment(data, np.array([1, 0, 0]), np.array([7, 7, 8]), Augmentation(stretch=0.5))
    >>> times.lengths, channels[1]
    (array([1, 2, 2]), array([0, 1], dtype=int32))
    """
    chosen, keyed = sample_indices(samples, len(data), "augment: `samples`"), _checked_seeds(seeds)
    if chosen.ndim != 1 or chosen.shape != keyed.shape:
        shapes = f"{list(chosen.shape)} and {list(keyed.shape)}"
        raise ValueError(f"augment: `samples` and `seeds`: got shapes {shapes}, expected [U] and [U]")
    keys = stream_keys(keyed, chosen)
    partners = np.full(chosen.size, -1, np.int64)
    if augmentation.blend > 0:
        if not 0 <= data.labels.min(initial=0) <= data.labels.max(initial=0) < data.n_classes:
            raise ValueError(f"augment: `data`: expected labels from 0 to {data.n_classes - 1}")
        members = np.argsort(data.labels, kind="stable")
        starts = np.searchsorted(data.labels[members], np.arange(data.n_classes + 1))
        chances = np.full(chosen.size, float(augmentation.blend))
        if blended is not None:
            chances = _checked_mask(blended, chosen.shape).astype(float)
        partners = choose_partners(keys, chosen, data.labels, members, starts, chances)
    source = Source(data.times.flat, data.channels.flat, data.times.offsets, data.n_channels)
    ranges = Ranges(
        math.floor(augmentation.shift),
        float(augmentation.warp),
        float(augmentation.stretch),
        float(augmentation.jitter),
        float(augmentation.drop),
    )
    times, channels, offsets = draw_events(source, chosen, partners, keys, ranges)
    return Ragged(times, offsets), Ragged(channels, offsets)


def _checked_seeds(seeds: ArrayLike) -> NDArray[np.uint64]:
    found = as_array(seeds, "augment: `seeds`")
    if found.size and found.dtype.kind not in "iu":
        raise ValueError(f"augment: `seeds`: got {show(seeds)}, expected whole numbers of 64 bits")
    return np.ascontiguousarray(found).reshape(found.shape).astype(np.uint64)


def _checked_mask(blended: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    found = as_array(blended, "augment: `blended`")
    if found.dtype != bool or found.shape != shape:
        got = f"shape {list(found.shape)} and type {found.dtype}"
        raise ValueError(f"augment: `blended`: got {got}, expected {list(shape)} truths, one a draw")
    return found
