"""The archive of MAP-Elites: the best of what was tried in each cell of a grid over two measures.

Mouret & Clune 2015, arXiv 1504.04909. It is a group-by over results that are kept elsewhere, so that there is
no second state that could disagree with them. Cells and statistics are those of `GridArchive` of pyribs
0.12, doi:10.1145/3583131.3590374.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, isfinite, nan

from search.evolution.options import ArchiveOptions

Cell = tuple[int, int]
"""A place in the grid, from 0: along the first measure and along the second."""
EPSILON = 1e-6
"""What pyribs adds, in cells times the unit of the measure, so that rounding takes no border for less."""


@dataclass(frozen=True)
class Entry:
    """A trial that is complete."""

    trial: int
    objective: float
    """To be made large."""
    measures: tuple[float, float]


@dataclass(frozen=True)
class Statistics:
    """How much of the grid is filled, and how well; the names are those of pyribs."""

    num_elites: int
    """Cells with an elite."""
    coverage: float
    """The same as a share of all cells."""
    qd_score: float
    """Sum over the elites of what their objective is above the offset."""
    norm_qd_score: float
    """The same over the number of all cells."""
    obj_max: float
    """The best objective; NaN without an elite."""
    obj_mean: float
    """The mean objective of the elites; NaN without one."""


def cell_of(measures: Sequence[float], options: ArchiveOptions) -> Cell | None:
    """The cell of two measures; what is out of range belongs to the cells at the edge.

    None: a measure is not a number, or infinite.

    >>> options = ArchiveOptions({"modularity": [0.0, 0.5], "rate": [0.0, 10.0]}, [5, 2])
    >>> cell_of([0.1, 5.0], options), cell_of([-3.0, 99.0], options), cell_of([float("nan"), 5.0], options)
    ((1, 1), (0, 1), None)
    """
    if not all(map(isfinite, measures)):
        return None
    places = []
    for value, (low, high), cells in zip(measures, options.measures.values(), options.cells, strict=True):
        at = (cells * (value - low) + EPSILON) / (high - low)
        places.append(floor(min(max(at, 0), cells - 1)))
    return places[0], places[1]


def elites(entries: Iterable[Entry], options: ArchiveOptions) -> dict[Cell, Entry]:
    """The best entry of each cell that has one, cell by cell in the order of the grid.

    Of equal ones it is that with the lowest number, so that the order in which trials happen to end does not
    matter. An entry whose objective or measure is not a number is no elite.
    """
    best: dict[Cell, Entry] = {}
    for entry in entries:
        cell = cell_of(entry.measures, options)
        if cell is None or not isfinite(entry.objective):
            continue
        known = best.get(cell)
        if known is None or (-entry.objective, entry.trial) < (-known.objective, known.trial):
            best[cell] = entry
    return {cell: best[cell] for cell in sorted(best)}


def statistics(found: Mapping[Cell, Entry], options: ArchiveOptions) -> Statistics:
    """The statistics of elites by cell.

    >>> options = ArchiveOptions({"modularity": [0.0, 0.5], "rate": [0.0, 10.0]}, [5, 2])
    >>> statistics({(0, 0): Entry(7, 0.5, (0.0, 0.0)), (1, 1): Entry(3, 1.0, (0.1, 5.0))}, options)
    Statistics(num_elites=2, coverage=0.2, qd_score=1.5, norm_qd_score=0.15, obj_max=1.0, obj_mean=0.75)
    """
    cells = options.cells[0] * options.cells[1]
    objectives = [one.objective for one in found.values()]
    total = sum(objectives)
    score = total - len(objectives) * options.offset
    return Statistics(
        num_elites=len(objectives),
        coverage=len(objectives) / cells,
        qd_score=score,
        norm_qd_score=score / cells,
        obj_max=max(objectives, default=nan),
        obj_mean=total / len(objectives) if objectives else nan,
    )
