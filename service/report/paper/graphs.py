"""What short delays are worth, and the graphs that they make: figures 6A, 6C, 6D and 9."""

import pandas as pd

from service.figures.curves import draw_bands
from service.figures.pruning import draw_pruning_by_group
from service.report.intervals import along
from service.report.items import Plot
from service.report.labels import label, short
from service.report.outcomes import INTERVALS, groups_of
from service.report.paper.sources import Sources, without_cost

DRAWN = "_as_drawn"
"""Suffix of a measure of the networks before training."""


def pruning(sources: Sources) -> Plot | str:
    """Figure 6A: accuracy as the longest synapses are taken out, beside the weakest."""
    data = sources.sweep_data
    known, whose = without_cost(data, data.pruning)
    if known.empty and len(sources.leading):
        known = sources.leading.merge(data.trials[["trial", "group"]], on="trial")
        trials = ", ".join(map(str, sorted(known["trial"].unique())))
        whose = f"Of the leading trials ({trials}), which are the best of the sweep, not a sample of it"
    if known.empty:
        return "there are no pruning curves"
    parts = [along(rows, "share", ["accuracy"], each=True).assign(by=by) for by, rows in known.groupby("by")]
    means = pd.concat(parts, ignore_index=True)
    return Plot(draw_pruning_by_group(means, groups_of(data)), means, f"{whose}. {INTERVALS}")


def modularity(sources: Sources) -> Plot | str:
    """Figure 6C."""
    return _graphs(sources, "modularity")


def clustering(sources: Sources) -> Plot | str:
    """Figure 6D."""
    return _graphs(sources, "clustering_ratio")


def efficiency(sources: Sources) -> Plot | str:
    """Figure 9: what the paper calls path length."""
    return _graphs(sources, "efficiency_ratio")


def _graphs(sources: Sources, measure: str) -> Plot | str:
    """A measure of the binary graphs of the shortest delays, before and after training."""
    data = sources.sweep_data
    known, whose = without_cost(data, data.delay_graph)
    if known.empty:
        return "there are no graphs of the shortest delays"
    outcomes, rows = _before_and_after(known, measure)
    if not outcomes:
        return "the measure is not defined for any of these graphs"
    means = along(rows, "share", outcomes, each=True)
    figure = draw_bands(means, "share", outcomes, groups_of(data), _label, same_scale=True)
    caption = (
        f"{whose}, by the share of the synapses that make the graph, the shortest; the paper takes 70 to "
        "95 %. Bands: 95 % intervals (bootstrap) over trials, or over replicates where there is one trial. "
        "Random points in a plane give clustered graphs, too: what was learned is what differs from the "
        "networks as drawn."
    )
    return Plot(figure, means, caption)


def _before_and_after(known: pd.DataFrame, measure: str) -> tuple[list[str], pd.DataFrame]:
    """The outcomes that have values, and a row a network and share: the measure at last, and as drawn."""
    keys = ["trial", "replicate", "share"]
    last = known["epoch"] == known.groupby(["trial", "replicate"])["epoch"].transform("max")
    drawn = known.loc[(known["epoch"] == 0) & ~last, [*keys, measure]]
    rows = known[last].merge(drawn, on=keys, how="left", suffixes=("", DRAWN))
    return [name for name in (measure + DRAWN, measure) if rows[name].notna().any()], rows


def _label(name: str) -> str:
    if name == "share":
        return label(name)
    when = "as drawn" if name.endswith(DRAWN) else "trained"
    return f"{short(name.removesuffix(DRAWN))}, {when}"
