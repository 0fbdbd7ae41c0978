"""A task of two parts that can be separated: two digits at once, each in one half of the channels."""

import numpy as np

from model.arrays import Ints
from model.datasets.config import KINDS
from model.datasets.ragged import DataError, concatenate
from model.datasets.spikes import SpikeDataset

USES = 4
"""Times that each sample is used in each half."""


def check_kinds(source: SpikeDataset, place: str) -> None:
    """Raise DataError, beginning with `place`, if `source` lacks a class that two digits are made of."""
    missing = sorted(set(range(KINDS)).difference(source.labels.tolist()))
    if missing:
        raise DataError(
            f"{place}: has no sample of class {missing[0]} to train on, and two digits take the classes 0 to "
            f"{KINDS - 1}; give a file with all of them"
        )


def two_parts(source: SpikeDataset, seed: int) -> SpikeDataset:
    """Samples of `source` of the first KINDS classes, 0 to 3, two by two: one in each half of the channels.

    A spike of channel c is in channel c // 2 of its half; the upper half starts at (C + 1) // 2. The class of
    a pair is KINDS a + b, with a that of the lower half and b that of the upper one. Each sample is in the
    lower half of USES pairs and in the upper one of as many, beside partners that are drawn by `seed`: so
    neither half tells anything of the other, but by chance of the draw. Groups are lost, for a pair has two.
    """
    kept = source.subset(source.labels < KINDS)
    rng = np.random.default_rng(seed)
    lower = np.tile(np.arange(len(kept)), USES)
    upper = concatenate([rng.permutation(len(kept)) for _ in range(USES)], np.int64)
    return _side_by_side(kept, lower, upper)


def _side_by_side(kept: SpikeDataset, lower: Ints, upper: Ints) -> SpikeDataset:
    """Pair i has the spikes of sample `lower`[i] in the lower half and of `upper`[i] in the upper one."""
    half = (kept.n_channels + 1) // 2
    events = [
        (
            np.concatenate([kept.times[a], kept.times[b]]),
            np.concatenate([kept.channels[a] // 2, half + kept.channels[b] // 2]),
        )
        for a, b in zip(lower.tolist(), upper.tolist(), strict=True)
    ]
    labels = KINDS * kept.labels[lower] + kept.labels[upper]
    return SpikeDataset.from_events(events, labels, 2 * half, KINDS**2)
