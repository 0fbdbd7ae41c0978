"""The Yin-Yang data set as spike latencies: a small task that a network without hidden neurons fails."""

import numpy as np

from model.datasets.spikes import SpikeDataset

WINDOW = 30.0  # ms
BIG, SMALL = 0.5, 0.1  # radii of the disc and of the dots
SIZES, SEEDS = (5000, 1000, 1000), (42, 41, 40)  # training, validation, test, as published


def load_yin_yang() -> tuple[SpikeDataset, SpikeDataset, SpikeDataset]:
    """Training, validation and test split: 5,000, 1,000 and 1,000 points, generated.

    A point (x, y) in the disc of radius 1/2 about (1/2, 1/2) is of class 2 if it is in one of the two dots,
    of class 1 in the body that holds the top, of class 0 in the one that holds the bottom. Each of the
    5 channels spikes once: the values v = x, y, 1 - x, 1 - y at

        t = 30 ms v,

    and a bias at 0. For each sample the class is drawn first, all alike, then points until one is of it.
    The draws follow the published generator with its published seeds.

    Source: Kriener, Goeltz, Petrovici, The Yin-Yang dataset, NICE 2022, doi:10.1145/3517343.3517380;
    latencies: Wunderlich, Pehle, Sci. Rep. 11, 2021, doi:10.1038/s41598-021-91786-z.
    """
    train, validation, test = (_encoded(*sample(*one)) for one in zip(SIZES, SEEDS, strict=True))
    return train, validation, test


def sample(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [S, 2] and their classes [S]."""
    rng = np.random.RandomState(seed)  # not a Generator: its stream is that of the published points
    points, labels = np.empty((size, 2)), np.empty(size, dtype=np.int64)
    for i in range(size):
        labels[i] = rng.randint(3)
        points[i] = rng.random_sample(2)
        while class_of(*points[i]) != labels[i]:
            points[i] = rng.random_sample(2)
    return points, labels


def class_of(x: float, y: float) -> int | None:
    """The class of a point, None outside the disc."""
    left, right = np.hypot(x - BIG / 2, y - BIG), np.hypot(x - 1.5 * BIG, y - BIG)  # from the dots' centres
    if np.hypot(x - BIG, y - BIG) > BIG:
        return None
    if min(left, right) < SMALL:
        return 2
    return int(left <= BIG / 2 or (y > BIG and right > BIG / 2))


def _encoded(points: np.ndarray, labels: np.ndarray) -> SpikeDataset:
    values = np.column_stack([points, 1 - points, np.zeros(len(points))])
    times = (WINDOW * values).astype(np.float32)
    channels = np.arange(values.shape[1])
    return SpikeDataset.from_events([(one, channels) for one in times], labels, len(channels), 3)
