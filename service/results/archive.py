"""The archive of a sweep as it is read from its tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from search.evolution.archive import Cell, Entry, Statistics, statistics
from search.evolution.options import ArchiveOptions
from service.config.sweep import SweepSpec
from service.errors import Fault, UserError
from service.record.elites import archive_options, elites_of, remeasured_elites

Row = Mapping[str, Any]


def asked_archive(spec: SweepSpec) -> ArchiveOptions:
    """The archive that a sweep asks for. Raises UserError if it asks for none."""
    options = archive_options(spec)
    if options is None:
        cure = "it has no archive; give `search.evolution.archive` its measures"
        raise UserError([Fault(spec.name, "search.evolution.archive", cure)])
    return options


def archived(spec: SweepSpec, rows: Sequence[Row], remeasured: bool) -> dict[Cell, Entry]:
    """The elites by cell, by their own results or by those of new seeds; raises as `asked_archive`."""
    find = remeasured_elites if remeasured else elites_of
    return find(spec, asked_archive(spec), rows)


def archive_columns(spec: SweepSpec) -> list[str]:
    """The columns of `archive_rows`; raises as `asked_archive`."""
    measures = list(asked_archive(spec).measures)
    metrics = dict.fromkeys([spec.objectives[0].metric, *measures])
    return [*(f"{name}_cell" for name in measures), "trial", *metrics, "epochs", "generation", "parent"]


def archive_rows(spec: SweepSpec, rows: Sequence[Row], remeasured: bool) -> list[dict[str, Any]]:
    """A row an elite: its cell along each measure, and what its trial has; raises as `asked_archive`."""
    found, by_trial = archived(spec, rows, remeasured), {row["trial"]: row for row in rows}
    first, second, *told = archive_columns(spec)
    return [
        {first: cell[0], second: cell[1]} | {name: by_trial[one.trial][name] for name in told}
        for cell, one in found.items()
    ]


def archive_statistics(spec: SweepSpec, rows: Sequence[Row], remeasured: bool) -> Statistics:
    """How much of the archive is filled, and how well; raises as `asked_archive`."""
    return statistics(archived(spec, rows, remeasured), asked_archive(spec))
