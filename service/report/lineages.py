"""What became of a population that evolved: members over time, family tree, founders, fields, dimensions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pandas as pd

from model.topology.names import SHAPES
from search import Objective
from search.evolution.explore import DIMENSIONS, HIDDEN
from service.config.sweep import SweepSpec
from service.figures.lineages import (
    draw_dimensions,
    draw_fields,
    draw_founders,
    draw_members,
    draw_tree,
)
from service.record.plan import MORE_SEEDS
from service.record.planned import planned_trial
from service.record.schema import column_of
from service.report.items import Absent, Drawn, Item
from service.report.labels import label, spans_decades
from service.results.sweep import Sweep

KEYS = ["trial", "epoch"]


@dataclass(frozen=True)
class Evolved:
    """All members of a population, also those that made room for others."""

    objectives: Sequence[Objective]
    members: pd.DataFrame
    """A row a trial: `trial`, `parent`, `founder`, `place` in the population (from 0), `move`, `generation`,
    `birth_epoch` (0 of a founder), `since` (the epoch from which it has had its place), `end` (the epoch that
    it has come to), and the searched fields, with `dimensions` and `hidden` where moves changed them."""
    fields: Sequence[str]
    """Columns of `members` that hold the fields that differ."""
    epochs: pd.DataFrame
    """A row a trial and epoch, with `founder`: means of the objectives over replicates."""
    shapes: pd.DataFrame
    """A row a trial and snapshot, with `founder`, `birth_epoch`, `move` and `dimensions`: means of the SHAPES
    of positions over replicates. No rows of sweeps of earlier versions, nor of networks without positions."""


def read_evolved(sweep: Sweep) -> Evolved | None:
    """The population of a sweep; None if none evolves, or no member is over."""
    spec = sweep.spec
    if not spec.open_ended:
        return None
    rows = [row for row in sweep.arrow("trials").to_pylist() if row["move"] != MORE_SEEDS]
    if not rows:
        return None
    members = _members(spec, sorted(rows, key=itemgetter("trial")))
    fixed = {"trial", "parent", "founder", "place", "move", "generation", "birth_epoch", "since", "end"}
    fields = [c for c in map(str, members) if c not in fixed and members[c].nunique(dropna=False) > 1]
    metrics = [one.metric for one in spec.objectives]
    epochs = sweep.table("epochs").groupby(KEYS, as_index=False)[metrics].mean()
    topology = sweep.table("topology")
    known = [name for name in SHAPES if name in topology]
    shapes = topology.groupby(KEYS, as_index=False)[known].mean().dropna() if known else topology[[*KEYS]][:0]
    return Evolved(
        objectives=spec.objectives,
        members=members,
        fields=fields,
        epochs=epochs.merge(members[["trial", "founder"]], on="trial"),
        shapes=shapes.merge(
            members[["trial", "founder", "birth_epoch", "move", "dimensions"]], on="trial", how="inner"
        ),
    )


def evolution(evolved: Evolved) -> Iterator[Item]:
    """The figures on a population, drawn one by one."""
    colour = "Colours are founders, those with the most members first; grey: founders without children."
    caption = (
        "A line a trial, from its birth to its end, in means over replicates; black: the best so far. "
        f"{colour}"
    )
    figure = draw_members(evolved.epochs, evolved.members, evolved.objectives, label)
    yield Drawn("members", "Members of the population over time", caption, figure, evolved.epochs)
    caption = (
        "A row a place in the population, with the numbers of the trials that have held it; a line from "
        f"parent to child at its birth, and a sign for the move that made it. {colour}"
    )
    yield Drawn("family_tree", "Family tree", caption, draw_tree(evolved.members), evolved.members)
    shares = founder_shares(evolved.members)
    caption = f"Share of the places that are held by each founder or its descendants. {colour}"
    figure = draw_founders(shares, evolved.members)
    yield Drawn("founders", "Share of founders alive", caption, figure, shares)
    yield _fields(evolved)
    yield _dimensions(evolved)


def founder_shares(members: pd.DataFrame) -> pd.DataFrame:
    """Share of the places that each founder and its descendants hold: rows of `epoch`, `founder`, `share`.

    A child has its place from the epoch on at which the trial was ended that it replaces.
    """
    places = members["place"].nunique()
    rows = []
    for epoch in sorted({0, *members["since"], int(members["end"].max())}):
        holders = members[members["since"] <= epoch].sort_values("trial").groupby("place").tail(1)
        held = holders["founder"].value_counts()
        rows += [
            {"epoch": epoch, "founder": founder, "share": held.get(founder, 0) / places}
            for founder in sorted(members["founder"].unique())
        ]
    return pd.DataFrame(rows)


def _fields(evolved: Evolved) -> Item:
    title = "Fields of the members over time"
    if not evolved.fields:
        return Absent(title, "all members have the same")
    numbers = [name for name in evolved.fields if pd.api.types.is_numeric_dtype(evolved.members[name])]
    log = {name for name in numbers if spans_decades(evolved.members[name].dropna().to_numpy(float))}
    figure = draw_fields(evolved.members, evolved.fields, log, label)
    caption = "What each trial was trained with, from its birth to its end. Colours as above."
    columns = ["trial", "founder", "birth_epoch", "end", *evolved.fields]
    return Drawn("fields", title, caption, figure, evolved.members[columns])


def _dimensions(evolved: Evolved) -> Item:
    title = "Dimensions that are there"
    if evolved.shapes.empty:
        return Absent(title, "no snapshot says how positions lie in space")
    caption = (
        "Left: in how many dimensions the neurons lie (participation ratio of the covariance of positions), "
        "in means over replicates; colours: what the configuration says. Right: how much of the variance is "
        "along the axis that a move has added, from birth on; its jitter is a millionth or so."
    )
    return Drawn("dimensions", title, caption, draw_dimensions(evolved.shapes), evolved.shapes)


def _members(spec: SweepSpec, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The members as `Evolved` has them, from their rows of `trials` in the order of their numbers."""
    structure = [path for path in (DIMENSIONS, HIDDEN) if path not in spec.space.paths]
    founders: dict[int, int] = {}
    places: dict[int, int] = {}
    ends: dict[int, int] = {}
    found = []
    for row in rows:
        begun = planned_trial(row, spec.space)
        birth, trial = begun.birth, begun.trial
        founders[trial] = birth.founder if birth else trial
        replaced = birth.replaces if birth else None
        places[trial] = places[replaced] if replaced in places else len(set(places.values()))
        ends[trial] = row["epochs"]
        sizes = {column_of(path): spec.fixed[path] for path in structure}
        sizes |= {column_of(path): size for path, size in (birth.structure if birth else {}).items()}
        found.append(
            {
                "trial": trial,
                "parent": begun.parent,
                "founder": founders[trial],
                "place": places[trial],
                "move": begun.move,
                "generation": birth.generation if birth else 0,
                "birth_epoch": birth.epoch if birth else 0,
                "since": ends.get(replaced, 0) if replaced is not None else 0,
                "end": ends[trial],
                **{column_of(path): row[column_of(path)] for path in spec.space.paths},
                **sizes,
            }
        )
    return pd.DataFrame(found)
