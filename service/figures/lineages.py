"""A population that evolved: members over time, family tree, founders, fields and dimensions."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from search import Objective
from service.figures.style import COLOURS, INK, MUTED, new_figure, plain

Label = Callable[[str], str]
"""What stands on the axis of a column."""

OTHERS = "#BBBBBB"
"""The colour of founders without children, and of those for which there is no other."""
SIGNS = {
    "perturb": "o",
    "resample": "D",
    "copy": ".",
    "dimension_up": "^",
    "dimension_down": "v",
    "split": "P",
    "remove": "X",
}
"""A sign for each move."""
BEST: dict[str, Any] = {"color": INK, "linewidth": 1.1, "linestyle": "--"}
COLUMNS = 3
BESIDE = 0.6
"""Share of the room between two values over which the members that have the same one are spread."""


def founder_colours(members: pd.DataFrame) -> dict[int, str]:
    """The colour of each founder: those with the most members first.

    members: rows with `trial` and `founder`.
    """
    count = members["founder"].value_counts()
    order = sorted(count.index, key=lambda founder: (-count[founder], founder))
    own = [founder for founder in order if count[founder] > 1][: len(COLOURS)]
    return {founder: COLOURS[own.index(founder)] if founder in own else OTHERS for founder in order}


def draw_members(
    epochs: pd.DataFrame, members: pd.DataFrame, objectives: Sequence[Objective], label: Label
) -> Figure:
    """A line a member along the epochs, in its founder's colour, and the best so far; a panel an objective.

    Args:
        epochs: rows of `trial`, `epoch` and the objectives' metrics.
        members: rows of `trial`, `founder`.
        objectives: what is searched for.
        label: names axes.
    """
    colours = founder_colours(members)
    founder = dict(zip(members["trial"], members["founder"], strict=True))
    figure = new_figure(max(7.6, 4.6 * len(objectives)), 4.4)
    for axes, one in zip(figure.subplots(1, len(objectives), squeeze=False)[0], objectives, strict=True):
        for trial, rows in epochs.sort_values("epoch").groupby("trial"):
            colour = colours[founder[int(str(trial))]]
            axes.plot(rows["epoch"], rows[one.metric], color=colour, linewidth=1.3, alpha=0.85)
            axes.plot(rows["epoch"].iloc[-1:], rows[one.metric].iloc[-1:], ".", color=colour, markersize=5)
        by_epoch = epochs.groupby("epoch")[one.metric]
        best = by_epoch.max().cummax() if one.goal == "max" else by_epoch.min().cummin()
        axes.plot(best.index, best, **BEST)
        _epochs_below(axes)
        axes.set(ylabel=label(one.metric))
        plain(axes)
    handles = [Line2D([], [], **BEST, label="best so far"), *_founders_named(colours)]
    _legend(figure, handles)
    return figure


def draw_tree(members: pd.DataFrame) -> Figure:
    """A row a place of the population: who has held it, and whose child each is.

    members: rows of `trial`, `parent`, `founder`, `place`, `move`, `birth_epoch`, `end`.
    """
    colours = founder_colours(members)
    places = {row["trial"]: row["place"] for row in members.to_dict("records")}
    figure = new_figure(9.0, 1.2 + 0.42 * (1 + max(places.values())))
    axes = figure.add_subplot()
    for row in members.to_dict("records"):
        colour, y = colours[row["founder"]], row["place"]
        axes.plot([row["birth_epoch"], row["end"]], [y, y], color=colour, linewidth=3, solid_capstyle="butt")
        if row["move"] is not None and not pd.isna(row["parent"]):
            born = row["birth_epoch"]
            axes.plot([born, born], [places[row["parent"]], y], color=colour, linewidth=0.9, alpha=0.7)
            axes.plot([born], [places[row["parent"]]], ".", color=colour, markersize=8)
            axes.plot([born], [y], SIGNS[row["move"]], color=colour, markersize=9, markeredgecolor="white")
        text: dict[str, Any] = {
            "fontsize": 8,
            "color": MUTED,
            "textcoords": "offset points",
            "xytext": (7, 3),
        }
        axes.annotate(str(row["trial"]), (row["birth_epoch"], y), **text)
    axes.set(yticks=[], ylim=(max(places.values()) + 0.6, -0.7), ylabel="places of the population")
    _epochs_below(axes)
    plain(axes)
    axes.spines["left"].set_visible(False)
    made = [move for move in SIGNS if move in set(members["move"])]
    _legend(
        figure,
        [
            Line2D([], [], linestyle="none", marker=SIGNS[m], color=MUTED, label=m.replace("_", " "))
            for m in made
        ],
    )
    return figure


def draw_founders(shares: pd.DataFrame, members: pd.DataFrame) -> Figure:
    """Shares of the places held by each founder's descendants, one on top of the other, along the epochs.

    Args:
        shares: rows of `epoch`, `founder`, `share`.
        members: rows of `trial`, `founder`.
    """
    colours = founder_colours(members)
    table = shares.pivot(index="epoch", columns="founder", values="share")[list(colours)]
    figure = new_figure(7.6, 3.6)
    axes = figure.add_subplot()
    look: dict[str, Any] = {"step": "post", "linewidth": 0.6, "edgecolor": "white"}
    low = np.zeros(len(table))
    for founder, colour in colours.items():
        high = low + table[founder].to_numpy()
        axes.fill_between(table.index, low, high, color=colour, **look)
        low = high
    axes.set(ylim=(0, 1), ylabel="share of the places", xlim=(table.index[0], table.index[-1]))
    _epochs_below(axes)
    plain(axes)
    _legend(figure, _founders_named(colours))
    return figure


def draw_fields(members: pd.DataFrame, fields: Sequence[str], log: Collection[str], label: Label) -> Figure:
    """What members were trained with, from birth to end; a small picture a field.

    Args:
        members: rows of `trial`, `founder`, `birth_epoch`, `end` and the fields.
        fields: columns that are shown; what is no number stands at equal distances.
        log: fields with a logarithmic axis.
        label: names axes.
    """
    colours = founder_colours(members)
    columns = min(COLUMNS, len(fields))
    figure = new_figure(max(4.0 * columns, 6.0), 2.9 * -(-len(fields) // columns) + 0.4)
    panels = list(figure.subplots(-(-len(fields) // columns), columns, squeeze=False).ravel())
    for axes, field in zip(panels, fields, strict=False):
        values, options = _levels(members[field])
        beside = (
            _beside(values, members["place"]) if options is not None or _is_whole(values) else 0.0 * values
        )
        for row, value in zip(members.to_dict("records"), values + beside, strict=True):
            look = {"color": colours[row["founder"]], "linewidth": 1.4, "alpha": 0.85}
            axes.plot([row["birth_epoch"], row["end"]], [value, value], marker=".", markersize=4, **look)
        if options is not None:
            axes.set_yticks(range(len(options)), options)
        elif field in log:
            axes.set_yscale("log")
        elif _is_whole(values):
            axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.set(ylabel=label(field))
        _epochs_below(axes)
        plain(axes)
    for axes in panels[len(fields) :]:
        axes.set_visible(False)
    _legend(figure, _founders_named(colours))
    return figure


def draw_dimensions(shapes: pd.DataFrame) -> Figure:
    """In how many dimensions members lie, by what they are configured as; and how new axes fill after births.

    shapes: rows of `trial`, `epoch`, `birth_epoch`, `move`, `dimensions`, `effective_dimension`,
    `last_axis_share`.
    """
    labels = sorted(shapes["dimensions"].unique())
    figure = new_figure(9.6, 4.0)
    left, right = figure.subplots(1, 2)
    grown = shapes[shapes["move"] == "dimension_up"]
    for trial, rows in shapes.sort_values("epoch").groupby("trial"):
        colour = COLOURS[labels.index(rows["dimensions"].iloc[0]) % len(COLOURS)]
        left.plot(rows["epoch"], rows["effective_dimension"], ".-", color=colour, linewidth=1.2, alpha=0.8)
        if trial in set(grown["trial"]):
            since = rows["epoch"] - rows["birth_epoch"]
            right.plot(since, rows["last_axis_share"], ".-", color=colour, linewidth=1.2, alpha=0.8)
    left.set(ylabel="effective dimension")
    _epochs_below(left)
    right.set(xlabel="epochs since a dimension was added", ylabel="share of variance along the new axis")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(grown):
        right.set_yscale("log")
    else:
        right.text(0.5, 0.5, "no dimension was added", ha="center", color=MUTED, transform=right.transAxes)
    for axes in (left, right):
        plain(axes)
    handles = [
        Line2D([], [], color=COLOURS[n % len(COLOURS)], label=f"dimensions {int(one)}")
        for n, one in enumerate(labels)
    ]
    _legend(figure, handles)
    return figure


def _levels(field: "pd.Series[Any]") -> tuple["pd.Series[float]", list[str] | None]:
    """The values of a field as numbers; of what is none, places at equal distances, with their names."""
    if pd.api.types.is_numeric_dtype(field) and not pd.api.types.is_bool_dtype(field):
        return field.astype(float), None
    options = sorted(field.astype(str).unique())
    return field.astype(str).map(options.index).astype(float), options


def _is_whole(values: "pd.Series[float]") -> bool:
    return bool((values.dropna() % 1 == 0).all())


def _beside(values: "pd.Series[float]", places: "pd.Series[int]") -> "pd.Series[float]":
    """By how much members are moved, each by its place, so that those of one value can be told apart."""
    steps = np.diff(np.unique(values.dropna()))
    room = float(steps.min()) if len(steps) else 1.0
    return BESIDE * room * ((places + 0.5) / (places.max() + 1) - 0.5)


def _epochs_below(axes: Any) -> None:
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _founders_named(colours: dict[int, str]) -> list[Line2D]:
    named = [
        Line2D([], [], color=colour, linewidth=2.5, label=f"founder {founder}")
        for founder, colour in colours.items()
        if colour != OTHERS
    ]
    grey = [Line2D([], [], color=OTHERS, linewidth=2.5, label="other founders")]
    return named + (grey if OTHERS in colours.values() else [])


def _legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    columns = max(1, int(figure.get_figwidth() / 1.55))
    if handles:
        figure.legend(
            handles=list(handles), loc="outside upper left", ncols=columns, frameon=False, fontsize=9,
            labelcolor=INK,
        )  # fmt: skip
