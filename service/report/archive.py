"""The archive of MAP-Elites in a report: a heat map, and how much new seeds leave of it."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from search.evolution.archive import Statistics
from search.evolution.options import ArchiveOptions
from service.figures.archive import draw_archive
from service.record.elites import archive_options
from service.report.items import Absent, Drawn, Item
from service.report.labels import label
from service.results.sweep import Sweep

TITLE = "Archive"


@dataclass(frozen=True)
class Archive:
    """The elites of a sweep."""

    options: ArchiveOptions
    elites: pd.DataFrame
    """As `Sweep.archive` gives them."""
    statistics: Statistics
    remeasured: pd.DataFrame
    """The same as new seeds have measured them; no rows where none did."""
    corrected: Statistics


def read_archive(sweep: Sweep) -> Archive | None:
    """The archive of a sweep; None if it has none."""
    options = archive_options(sweep.spec)
    if options is None:
        return None
    return Archive(
        options,
        sweep.archive(),
        sweep.archive_statistics(),
        sweep.archive(remeasured=True),
        sweep.archive_statistics(remeasured=True),
    )


def archive_item(archive: Archive, objective: str) -> Item:
    """The heat map, with a panel more where the elites were measured again."""
    if archive.elites.empty:
        return Absent(TITLE, "there is no elite yet")
    options = archive.options
    edges = [
        np.linspace(low, high, cells + 1)
        for (low, high), cells in zip(options.measures.values(), options.cells, strict=True)
    ]
    panels = [("as found", archive.elites)]
    if len(archive.remeasured):
        again = archive.remeasured.assign(trial=archive.remeasured["parent"])  # by the numbers of the elites
        panels.append(("measured again with new seeds", again))
    names = list(options.measures)
    figure = draw_archive(panels, names, edges, objective, [label(name) for name in [*names, objective]])
    return Drawn("archive", TITLE, _caption(archive), figure, _data(archive))


def _caption(archive: Archive) -> str:
    said = (
        "The best trial in each cell of the two measures, by number. What is out of range is in the cells at "
        f"the edge. {_told(archive.statistics)}."
    )
    if len(archive.remeasured):
        said += (
            " To the right the elites alone, where and how well networks with new seeds repeat their "
            f"lineages: {_told(archive.corrected)}. What is missing there was luck."
        )
    return said


def _told(one: Statistics) -> str:
    return f"{one.num_elites} elites, coverage {one.coverage:.0%}, QD-score {one.qd_score:.4g}"


def _data(archive: Archive) -> pd.DataFrame:
    """Both archives in one table, with their statistics in each row."""
    parts = [("found", archive.elites, archive.statistics), ("again", archive.remeasured, archive.corrected)]
    return pd.concat(
        [elites.assign(measured=when, **asdict(told)) for when, elites, told in parts if len(elites)],
        ignore_index=True,
    )
