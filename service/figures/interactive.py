"""Interactive figures of a sweep, made by plotly from its tables."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go


def front_figure(
    trials: pd.DataFrame, front: set[int], x: str, y: str, shown: Sequence[str], title: str
) -> go.Figure:
    """Trials by two metrics, with standard errors where they are known; those of `front` are joined by steps.

    Args:
        trials: rows of `trials`.
        front: numbers of those on the Pareto front.
        x: the column to the right.
        y: the column upwards.
        shown: columns that are told of a trial under the pointer.
        title: above the figure.
    """
    leading = trials["trial"].isin(front)
    figure = go.Figure()
    looks = [("other trials", trials[~leading], "#999999"), ("Pareto front", trials[leading], "#0072B2")]
    for name, rows, colour in looks:
        ordered = rows.sort_values(x)
        figure.add_scatter(
            x=ordered[x],
            y=ordered[y],
            name=f"{name} ({len(ordered)})",
            mode="markers",
            marker={"color": colour, "size": 8},
            error_x=_errors(ordered, x),
            error_y=_errors(ordered, y),
            customdata=ordered[list(shown)].to_numpy(),
            hovertemplate="<br>".join(f"{name} %{{customdata[{n}]}}" for n, name in enumerate(shown))
            + f"<br>{x} %{{x}}<br>{y} %{{y}}<extra></extra>",
        )
    return _laid_out(figure, title, x, y)


def course_figure(epochs: pd.DataFrame, metric: str, title: str) -> go.Figure:
    """A metric over the epochs, a line a trial: the mean of its replicates in the rows of `epochs`."""
    means = epochs.groupby(["trial", "epoch"], as_index=False)[metric].mean()
    figure = go.Figure()
    for trial, rows in means.groupby("trial"):
        figure.add_scatter(x=rows["epoch"], y=rows[metric], name=f"trial {trial}", mode="lines")
    return _laid_out(figure, title, "epoch", metric)


def parallel_figure(
    trials: pd.DataFrame, fields: Sequence[str], metrics: Sequence[str], title: str
) -> go.Figure:
    """Rows of `trials` as parallel coordinates, coloured by the first of the metrics."""
    dimensions = []
    for name in [*fields, *metrics]:
        column = trials[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            dimensions.append({"label": name, "values": column})
        else:
            codes, known = pd.factorize(column.astype(str))
            axis = {"tickvals": list(range(len(known))), "ticktext": list(known)}
            dimensions.append({"label": name, "values": codes, **axis})
    line = {"color": trials[metrics[0]], "colorscale": "Viridis", "showscale": True}
    figure = go.Figure(go.Parcoords(dimensions=dimensions, line=line))
    return figure.update_layout(title=title)


def _errors(rows: pd.DataFrame, metric: str) -> dict[str, object]:
    known = f"{metric}_sem" in rows
    return {"array": rows[f"{metric}_sem"] if known else None, "visible": known, "thickness": 1}


def _laid_out(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    return figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white")
