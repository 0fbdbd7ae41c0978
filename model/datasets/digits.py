"""Handwritten digits as spike latencies: a small task that comes with scikit-learn."""

import numpy as np

from model.datasets.spikes import SpikeDataset
from model.datasets.split import stratified

WINDOW = 50.0  # ms; a pixel of brightness 0 would spike here
BRIGHTEST = 16
HELD_OUT = 300  # samples for validation, and as many for test


def load_digits() -> tuple[SpikeDataset, SpikeDataset, SpikeDataset]:
    """Training, validation and test split of 1,797 images of 8 x 8 pixels: 1,197, 300 and 300 samples.

    One channel a pixel (64, row by row), 10 classes. A pixel of brightness v in 1..16 emits one spike at

        t = 50 ms (1 - v / 16),

    the brighter the earlier, so times run from 0 to 46.875 ms; a pixel of 0 emits nothing.
    The split is drawn once and for all, class by class; the three parts are disjoint.

    Source: E. Alpaydin, C. Kaynak, Cascading classifiers, Kybernetika 34, 1998; the UCI test set.
    """
    from sklearn import datasets  # takes a second to import, and is needed here alone

    images, labels = datasets.load_digits(return_X_y=True)  # [1797, 64], [1797]
    events = []
    for image in images.astype(np.float32):
        lit = np.flatnonzero(image)
        events.append((np.float32(WINDOW) * (1 - image[lit] / BRIGHTEST), lit))
    data = SpikeDataset.from_events(events, labels, n_channels=images.shape[1], n_classes=10)
    rng = np.random.default_rng(0)
    test, rest = stratified(labels, HELD_OUT, rng)
    validation, train = stratified(labels[rest], HELD_OUT, rng)
    return data.subset(rest[train]), data.subset(rest[validation]), data.subset(test)
