"""Makes the spoken digits that come with the package, from the two files of which they are a part.

    python -m benchmarks.shipped_digits fsdd_train.h5 fsdd_test.h5 [--to FILE]

Ten neighbouring channels become one, which fires at every eighth spike that it hears: an integrator with a
threshold and no leak. So 5,900 spikes a sample become some 700, rates keep their proportions, and an onset is
late by seven spikes. Four speakers train, a fifth is for validation, and half of the test is a sixth.
"""

import argparse
from pathlib import Path

import numpy as np

from model.arrays import Ints
from model.datasets import SpikeDataset

POOL, EVERY = 10, 8
STEP = 0.25
"""Times are kept in steps of so many ms."""
VALIDATION, UNHEARD = 4, 5
"""Speakers: for validation, and in the test set alone."""
PER_CLASS = {"train": 25, "validation": 20, "test": 15}
"""Samples a class: of a training speaker; of that for validation; of known speakers, and of the unheard."""


def pooled(times: np.ndarray, channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of a sample, times (ms) [E] and channels [E], after pooling; times in steps, ascending."""
    kept = []
    for channel in np.unique(channels // POOL):
        heard = np.sort(times[channels // POOL == channel])[EVERY - 1 :: EVERY]
        kept.append(np.stack([np.round(heard / STEP), np.full(len(heard), channel)]))
    steps, pools = np.concatenate(kept, 1)
    order = np.lexsort((pools, steps))
    return steps[order].astype(np.uint16), pools[order].astype(np.uint8)


def chosen(data: SpikeDataset, speakers: list[int], count: int, rng: np.random.Generator) -> Ints:
    """`count` samples of every class, spread evenly over the speakers, in random order."""
    assert data.groups is not None
    each, rest = divmod(count, len(speakers))
    assert not rest
    found = [
        rng.choice(np.flatnonzero((data.labels == label) & (data.groups == speaker)), each, replace=False)
        for label in range(data.n_classes)
        for speaker in speakers
    ]
    indices: Ints = rng.permutation(np.concatenate(found))
    return indices


def packed(data: SpikeDataset, indices: Ints, split: str) -> dict[str, np.ndarray]:
    """The samples as flat arrays, named after the split."""
    assert data.groups is not None
    spikes = [pooled(data.times[i], data.channels[i]) for i in indices.tolist()]
    arrays = {
        "steps": np.concatenate([steps for steps, _ in spikes]),
        "channels": np.concatenate([channels for _, channels in spikes]),
        "counts": np.array([len(steps) for steps, _ in spikes], np.uint16),
        "labels": data.labels[indices].astype(np.uint8),
        "speakers": data.groups[indices].astype(np.uint8),
    }
    return {f"{split}_{name}": values for name, values in arrays.items()}


def main() -> None:
    """Make the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--to", type=Path, default=Path("model/datasets/files/spoken_digits.npz"))
    asked = parser.parse_args()
    train, test = (SpikeDataset.from_hdf5(path, 700, 10) for path in (asked.train, asked.test))
    rng = np.random.default_rng(0)
    known = [speaker for speaker in range(UNHEARD) if speaker != VALIDATION]
    half = PER_CLASS["test"]
    told = np.concatenate([chosen(test, list(range(UNHEARD)), half, rng), chosen(test, [UNHEARD], half, rng)])
    arrays = (
        packed(train, chosen(train, known, len(known) * PER_CLASS["train"], rng), "train")
        | packed(train, chosen(train, [VALIDATION], PER_CLASS["validation"], rng), "validation")
        | packed(test, rng.permutation(told), "test")
    )
    asked.to.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(asked.to, allow_pickle=False, **arrays)
    for split in PER_CLASS:
        counts = arrays[f"{split}_counts"]
        print(f"{split}: {len(counts)} samples, {counts.mean():.0f} spikes each (sd {counts.std():.0f})")
    print(f"{asked.to}: {asked.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
