"""How much of an objective each field explains."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from service.figures.style import COLOURS, FAINT, INK, new_figure, plain, titled


def draw_importance(importance: pd.DataFrame, label: Callable[[str], str]) -> Figure:
    """Bars with standard errors, a picture an objective; pale where the model explains nothing.

    Args:
        importance: rows of `objective`, `field`, `importance`, `error`, `explained`.
        label: names fields and objectives.
    """
    objectives = importance["objective"].unique()
    fields = importance.groupby("field")["importance"].max().sort_values().index
    figure = new_figure(max(6.0, 3.0 + 3.0 * len(objectives)), 1.4 + 0.4 * len(fields))
    panels = figure.subplots(1, len(objectives), squeeze=False, sharey=True)[0]
    for k, (axes, objective) in enumerate(zip(panels, objectives, strict=True)):
        rows = importance[importance["objective"] == objective].set_index("field").loc[fields]
        explained = rows["explained"].iloc[0]
        colour = COLOURS[0] if explained > 0 else FAINT
        axes.barh(np.arange(len(fields)), rows["importance"], xerr=rows["error"], color=colour, height=0.6)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set(xlabel="loss of R² when shuffled")
        if k == 0:
            axes.set_yticks(np.arange(len(fields)), [label(field) for field in fields])
        titled(axes, f"{label(objective)} (R² {explained:.2f})", 10)
        plain(axes)
    return figure
