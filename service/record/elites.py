"""The elites of a sweep's archive, from rows of `trials`: who may be in it, and what each is worth."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

from search.evolution.archive import Cell, Entry, elites
from search.evolution.options import ArchiveOptions
from search.objectives import Constraint, Objective, costs, metrics_needed, total_violation
from service.config.sweep import SweepSpec
from service.record.leaders import awaiting_seeds
from service.record.plan import MORE_SEEDS

Row = Mapping[str, Any]


def archive_options(spec: SweepSpec) -> ArchiveOptions | None:
    """The archive that a sweep asks for; None: it asks for none."""
    return spec.search.evolution.archive if spec.search.evolution else None


def elites_of(spec: SweepSpec, options: ArchiveOptions, rows: Iterable[Row]) -> dict[Cell, Entry]:
    """The elites among rows of `trials`, by cell.

    Trials that are not complete, break a constraint or do not fire are none, nor are those that measure an
    elite again.
    """
    kept = (row for row in rows if row["move"] != MORE_SEEDS and may_breed(row, spec.constraints))
    return elites((entry_of(row, spec.objectives[0], options) for row in kept), options)


def remeasured_elites(spec: SweepSpec, options: ArchiveOptions, rows: Iterable[Row]) -> dict[Cell, Entry]:
    """The archive of the elites alone, by what new seeds have measured of them.

    That is the corrected archive of Flageat & Cully 2023, arXiv 2302.00463. An elite may come into another
    cell, where it meets others; one that is not measured again yet, or fails then, is left out.
    """
    known = list(rows)
    holders = {one.trial for one in elites_of(spec, options, known).values()}
    again = (row for row in known if row["move"] == MORE_SEEDS and row["parent"] in holders)
    kept = (row for row in again if may_breed(row, spec.constraints))
    return elites((entry_of(row, spec.objectives[0], options) for row in kept), options)


def elites_awaiting_seeds(spec: SweepSpec, options: ArchiveOptions, rows: Sequence[Row]) -> list[Row]:
    """The elites that are yet to be measured again, cell by cell.

    One whose second run is in `rows`, however that ended, waits for no other.
    """
    if not options.remeasure:
        return []
    again = {row["parent"] for row in rows if row["move"] == MORE_SEEDS}
    by_trial = {row["trial"]: row for row in rows}
    found = [one.trial for one in elites_of(spec, options, rows).values()]
    return [by_trial[trial] for trial in found if trial not in again]


def entry_of(row: Row, objective: Objective, options: ArchiveOptions) -> Entry:
    """A complete trial as the archive sees it; an objective to be made small is its negative."""
    first, second = (nan if row[name] is None else float(row[name]) for name in options.measures)
    return Entry(row["trial"], -costs([objective], row)[0], (first, second))


def may_breed(row: Row, constraints: tuple[Constraint, ...]) -> bool:
    """Whether a trial may be an elite or a parent: it is complete, within the constraints, and fires."""
    if row["state"] != "complete" or row.get("silent") == 1.0:
        return False
    known = all(row.get(name) is not None for name in metrics_needed((), constraints))
    return known and total_violation(constraints, row) == 0


def awaiting(spec: SweepSpec, rows: Sequence[Row]) -> list[Row]:
    """The trials that are yet to be run again with other seeds: elites, or else leaders."""
    archive = archive_options(spec)
    if archive is not None:
        return elites_awaiting_seeds(spec, archive, rows)
    if spec.replicates is None:
        return []
    return awaiting_seeds(rows, spec.objectives, spec.constraints, spec.replicates)
