"""What stands in a report: a figure with its data, or a word why it is not there."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """A figure with the data that it shows."""

    figure: Figure
    data: pd.DataFrame
    caption: str


@dataclass(frozen=True)
class Drawn:
    """A figure: its files are named `name`."""

    name: str
    title: str
    caption: str
    figure: Figure
    data: pd.DataFrame


@dataclass(frozen=True)
class Absent:
    """A figure that can't be drawn."""

    title: str
    why: str


Item = Drawn | Absent


def item(name: str, title: str, found: Plot | str) -> Item:
    """What was drawn, under its name and title, or the word why it was not."""
    if isinstance(found, str):
        return Absent(title, found)
    return Drawn(name, title, found.caption, found.figure, found.data)
