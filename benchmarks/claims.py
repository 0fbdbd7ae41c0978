"""What `sweeps/claims.yaml` says of the paper's claims: tables for docs/findings.md, and a picture.

    polychrony run sweeps/claims.yaml
    python -m benchmarks.claims [claims] [--out runs] [--picture PICTURE]

The networks of a condition differ in their seeds alone, and those of two conditions share none. So all
intervals are over seeds: Student's of a mean, Welch's of a difference of two means, both at 95 %. Whether z
of a measure against its nulls is above 0 more often than not is asked by a sign test (exact, two-sided): with
ten networks its least p is 0.002, and it supposes nothing of how z is distributed.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from service import Sweep
from service.figures.style import COLOURS, FAINT, INK, new_figure, plain, png, titled
from service.report.intervals import t_interval

ALIGNED = {
    "field_space_mantel_z": "fields",
    "field_space_mantel_shell_z": "fields within shells",
    "input_space_mantel_z": "input weights",
    "input_space_mantel_shell_z": "input weights within shells",
    "centroid_moran_z": "centroid",
    "preferred_time_moran_z": "preferred time",
    "preferred_time_moran_shell_z": "preferred time within shells",
    "rate_moran_z": "rate",
    "channel_place_spread_z": "places of channels",
    "response_space_mantel_z": "responses to samples",
    "response_space_mantel_shell_z": "responses within shells",
    "class_space_mantel_z": "classes",
    "selectivity_moran_z": "selectivity",
}
"""Columns of `topology` that say how function lies in space, against neurons swapped among their places."""
STRUCTURE = (
    "modularity",
    "clustering_ratio",
    "wiring_efficiency",
    "global_efficiency",
    "small_world_propensity",
    "module_space_ami",
    "radius_time_correlation",
)
PERFORMANCE = ("test_accuracy", "test_accuracy_seen", "test_accuracy_unseen", "sparsity", "rate")
SHARES = (0.7, 0.8, 0.9, 0.95)
"""Of the synapses, the shortest, that make the graphs of figures 6 and 9."""
PICTURED = (
    "field_space_mantel_z",
    "preferred_time_moran_z",
    "preferred_time_moran_shell_z",
    "rate_moran_z",
    "response_space_mantel_z",
    "class_space_mantel_z",
)


def condition_of(row: pd.Series) -> str:
    """The embedding of a trial, and whether wiring has a cost."""
    cost = row["wiring_cost"]
    return f"{row['embedding']} + cost" if pd.notna(cost) and cost > 0 else str(row["embedding"])


def mean_text(values: Iterable[float], digits: int = 2, factor: float = 1) -> str:
    """Mean and half the width of its interval; a dash where there are no values.

    >>> mean_text([1.0, 2.0, 3.0])
    '2.00 ± 2.48'
    """
    known = factor * np.array(list(values), float)
    known = known[~np.isnan(known)]
    if not len(known):
        return ""
    return f"{known.mean():.{digits}f} ± {known.mean() - t_interval(known)[0]:.{digits}f}"


def z_text(values: Iterable[float]) -> str:
    """Mean of z with its interval, in bold where a sign test says that it is not about 0.

    >>> z_text([1.0, 2.0, 3.0])
    '2.0 ± 2.5'
    """
    known = np.array(list(values), float)
    known = known[~np.isnan(known)]
    if not len(known):
        return ""
    text = mean_text(known.tolist(), 1)
    p = stats.binomtest(int((known > 0).sum()), len(known)).pvalue
    return f"**{text}**" if p < 0.05 else text


def percent(share: object) -> str:
    """A share in words."""
    assert isinstance(share, float)
    return f"{share:.0%}"


def show(table: pd.DataFrame, corner: str) -> None:
    """A table, as Markdown."""
    print(f"\n| {corner} | " + " | ".join(map(str, table.columns)) + " |")
    print("|---" * (len(table.columns) + 1) + "|")
    for name, row in table.iterrows():
        print(f"| {name} | " + " | ".join(row) + " |")


def networks_of(sweep: Sweep, table: str, conditions: pd.DataFrame) -> pd.DataFrame:
    """A table of the sweep, with the condition of each row."""
    return sweep.table(table).merge(conditions, on="trial")


def alignment(topology: pd.DataFrame) -> None:
    """How function lies in space: after training by condition, and in the course of it."""
    last = topology[topology["epoch"] == topology["epoch"].max()]
    after = {
        ALIGNED[name]: {
            condition: z_text(rows[name]) for condition, rows in last.groupby("condition", sort=False)
        }
        for name in ALIGNED
    }
    show(pd.DataFrame(after).T, "z after training")
    for name in ("field_space_mantel_z", "preferred_time_moran_z"):
        course = {
            condition: {f"epoch {epoch}": z_text(cell[name]) for epoch, cell in rows.groupby("epoch")}
            for condition, rows in topology.groupby("condition", sort=False)
        }
        show(pd.DataFrame(course).T, f"z of {ALIGNED[name]}")


def structure(topology: pd.DataFrame, graphs: pd.DataFrame) -> None:
    """Measures of the graphs, as drawn and trained."""
    ends = {"drawn": 0, "trained": topology["epoch"].max()}
    found = {
        f"{condition}, {when}": {
            name: mean_text(rows.loc[rows["epoch"] == epoch, name]) for name in STRUCTURE
        }
        for condition, rows in topology.groupby("condition", sort=False)
        for when, epoch in ends.items()
    }
    show(pd.DataFrame(found).T, "graph of weights")
    shown = graphs[graphs["share"].isin(SHARES)]
    for name in ("modularity", "clustering_ratio", "efficiency_ratio"):
        found = {
            f"{condition}, {when}": {
                percent(share): mean_text(cell[name])
                for share, cell in rows[rows["epoch"] == epoch].groupby("share")
            }
            for condition, rows in shown.groupby("condition", sort=False)
            for when, epoch in ends.items()
        }
        show(pd.DataFrame(found).T, f"{name} of the shortest")


def delays(synapses: pd.DataFrame) -> None:
    """How long delays are, and whether strong synapses are the shorter ones."""
    found = {}
    for condition, rows in synapses.groupby("condition", sort=False):
        each = [one for _, one in rows.groupby("replicate")]
        weight = [one["weight"].abs() for one in each]
        found[condition] = {
            "median (ms)": mean_text([one["delay"].median() for one in each], 1),
            "weighted mean (ms)": mean_text(
                [(w * one["delay"]).sum() / w.sum() for w, one in zip(weight, each, strict=True)], 1
            ),
            "mean (ms)": mean_text([one["delay"].mean() for one in each], 1),
            "rank correlation with abs(w)": mean_text(
                [stats.spearmanr(w, one["delay"]).statistic for w, one in zip(weight, each, strict=True)]
            ),
        }
    show(pd.DataFrame(found).T, "delays")


def performance(epochs: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Accuracy and parameters, and how conditions differ."""
    last = epochs[epochs["epoch"] == epochs["epoch"].max()]
    found = {
        condition: {
            name: mean_text(rows[name], 1 if name != "rate" else 2, 100 if name != "rate" else 1)
            for name in PERFORMANCE
        }
        | {"parameters": f"{trials.set_index('condition')['parameters'][condition]:,}"}
        for condition, rows in last.groupby("condition", sort=False)
    }
    show(pd.DataFrame(found).T, "in %")
    accuracy = {condition: 100 * rows["test_accuracy"] for condition, rows in last.groupby("condition")}
    against = {
        other: {condition: difference_text(values, accuracy[other]) for condition, values in accuracy.items()}
        for other in accuracy
    }
    show(pd.DataFrame(against), "test accuracy less that of")


def difference_text(one: pd.Series, other: pd.Series) -> str:
    """Difference of two means with its interval (Welch), in points."""
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    difference = one.mean() - other.mean()
    return f"{difference:+.1f} ± {interval.high - difference:.1f}" if one is not other else ""


def pruning(pruned: pd.DataFrame) -> None:
    """What is lost without the longest synapses, and without as many of the weakest."""
    for by, rows in pruned.groupby("by"):
        found = {
            condition: {
                percent(share): mean_text(cell["accuracy"], 1, 100)
                for share, cell in own.groupby("share")
                if share in (0.0, 0.1, 0.3, 0.5, 1.0)
            }
            for condition, own in rows.groupby("condition", sort=False)
        }
        show(pd.DataFrame(found).T, f"test accuracy (%) without synapses, by {by}")


def draw(topology: pd.DataFrame) -> bytes:
    """How function comes to lie in space in the course of training, as PNG."""
    figure = new_figure(10, 5.6)
    panels = figure.subplots(2, 3, sharex=True).flatten()
    placed = topology.dropna(subset=PICTURED[0])
    conditions = placed["condition"].unique()
    for axes, name in zip(panels, PICTURED, strict=True):
        axes.axhspan(-1.96, 1.96, color=FAINT, alpha=0.5, linewidth=0)
        for colour, condition in zip(COLOURS, conditions, strict=False):
            rows = topology[topology["condition"] == condition].dropna(subset=name)
            cells = [(epoch, cell[name].to_numpy()) for epoch, cell in rows.groupby("epoch")]
            x, y = [epoch for epoch, _ in cells], [values.mean() for _, values in cells]
            low, high = zip(*(t_interval(values) for _, values in cells), strict=True)
            axes.plot(x, y, color=colour, label=condition)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        titled(axes, ALIGNED[name], 10)
        plain(axes)
    for axes in panels[3:]:
        axes.set_xlabel("epoch")
    for axes in panels[::3]:
        axes.set_ylabel("z against swapped neurons")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(conditions),
        frameon=False,
        labelcolor=INK,
        fontsize=9,
    )
    return png(figure)


def main() -> None:
    """Print the tables, and draw the picture where one is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweep", nargs="?", default="claims")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    sweep = Sweep(asked.out / asked.sweep)
    trials = sweep.table("trials")
    trials["condition"] = trials.apply(condition_of, axis=1)
    conditions = trials[["trial", "condition"]].sort_values("condition", ascending=False)
    tables = {
        name: networks_of(sweep, name, conditions).sort_values("condition", ascending=False, kind="stable")
        for name in ("topology", "epochs", "delay_graph", "synapses", "pruning")
    }
    performance(tables["epochs"], trials)
    alignment(tables["topology"])
    structure(tables["topology"], tables["delay_graph"])
    delays(tables["synapses"])
    pruning(tables["pruning"])
    if asked.picture:
        asked.picture.write_bytes(draw(tables["topology"]))


if __name__ == "__main__":
    main()
