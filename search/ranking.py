"""Who is better where several costs and constraints count: Deb et al. 2002, doi:10.1109/4235.996017."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.objectives import pareto_front


class Result(NamedTuple):
    """What a trial has reached."""

    violation: float
    """Of the constraints, in sum; 0 if they hold."""
    costs: tuple[float, ...]
    """To be made small."""


def fronts(results: Sequence[Result]) -> Iterator[list[int]]:
    """Indices of the results, rank by rank, and within a rank those with more room around them first.

    Those that hold the constraints come first, by non-domination; the others by how far they are off.

    >>> list(fronts([Result(0.0, (1.0, 3.0)), Result(0.5, (0.0, 0.0)), Result(0.0, (2.0, 4.0))]))
    [[0], [2], [1]]
    """
    feasible = np.array([n for n, one in enumerate(results) if one.violation == 0], dtype=int)
    table = np.array([results[n].costs for n in feasible])
    while len(feasible):
        front = pareto_front(table, ["min"] * table.shape[1])
        order = np.argsort(-crowding(table[front]), kind="stable")
        yield feasible[front[order]].tolist()
        feasible, table = np.delete(feasible, front), np.delete(table, front, axis=0)
    violations = sorted({one.violation for one in results if one.violation > 0})
    for violation in violations:
        yield [n for n, one in enumerate(results) if one.violation == violation]


def crowding(front: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much room there is around each point of a front.

    Args:
        front: [n, k] costs.

    Returns:
        [n] half the perimeter of the box between the neighbours in each cost, as a share of the front's
        extent; infinite for the ends.

    >>> crowding(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])).tolist()
    [inf, 2.0, inf]
    """
    room = np.zeros(len(front))
    for cost in front.T:
        order = np.argsort(cost, kind="stable")
        extent = cost[order[-1]] - cost[order[0]]
        if extent == 0:
            continue
        room[order[[0, -1]]] = np.inf
        room[order[1:-1]] += (cost[order[2:]] - cost[order[:-2]]) / extent
    return room
