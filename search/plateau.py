"""Whether a search still gains anything."""

from collections.abc import Sequence

import numpy as np

from search.objectives import hypervolume


def recent_gain(points: Sequence[Sequence[float]], recent: int) -> float:
    """By what share of itself the hypervolume has grown over the last `recent` points.

    The reference is the worst of all in every cost; so with one cost the gain is that of the best value.

    Args:
        points: [n, k] costs, to be made small, in the order in which they were found.
        recent: how many of them count as new.

    Returns:
        From 0 to 1; 1 if there are no more than `recent` points.

    >>> recent_gain([[4.0], [2.0], [3.0], [2.0]], 2), recent_gain([[4.0], [3.0], [2.0]], 1)
    (0.0, 0.5)
    """
    if len(points) <= recent:
        return 1.0
    table = np.array(points, dtype=np.float64)
    reference = table.max(axis=0)
    now, before = hypervolume(table, reference), hypervolume(table[:-recent], reference)
    return (now - before) / now if now > 0 else 0.0
