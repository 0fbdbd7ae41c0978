"""Choosing some of the samples: to hold them out, class by class, or to look at."""

import numpy as np

from model.arrays import Ints


def spread(size: int, count: int) -> Ints:
    """Up to `count` of the indices 0 to `size` - 1, at equal distances.

    >>> spread(9, 3), spread(2, 3)
    (array([0, 4, 8]), array([0, 1]))
    """
    return np.linspace(0, size - 1, min(count, size)).astype(np.int64)


def stratified(labels: Ints, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The indices of about `count` samples drawn from `labels` [S], and those of all others; both ascending.

    Every class gives in proportion to its size (rounded by largest remainder), at least one sample, and
    never its last one; this alone may move the number drawn away from `count`.

    >>> held_out, others = stratified(np.array([0, 0, 0, 0, 1, 1, 2]), 3, np.random.default_rng(0))
    >>> np.array([0, 0, 0, 0, 1, 1, 2])[held_out]
    array([0, 0, 1])
    """
    classes, sizes = np.unique(labels, return_counts=True)
    quotas = count * sizes / len(labels)
    shares = np.floor(quotas).astype(np.int64)
    largest_remainders = np.argsort(shares - quotas, kind="stable")[: count - shares.sum()]
    shares[largest_remainders] += 1
    shares = np.minimum(np.maximum(shares, 1), sizes - 1)
    held_out = np.zeros(len(labels), dtype=bool)
    for one_class, share in zip(classes, shares, strict=True):
        held_out[rng.permutation(np.flatnonzero(labels == one_class))[:share]] = True
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)
