from pathlib import Path

import pytest
from known_sweep import SHORTEST

from service.report.items import Plot
from service.report.paper import graphs
from service.report.paper.sources import Sources
from service.results.sweep import Sweep


def _drawn(found: Plot | str) -> Plot:
    assert isinstance(found, Plot), found
    return found


def test_graphs_are_those_of_the_trials_without_cost_before_and_after(folder: Path, sources: Sources) -> None:
    plot = _drawn(graphs.modularity(sources))
    table = Sweep(folder).table("delay_graph")
    trials = Sweep(folder).table("trials")
    free = trials[(trials["embedding"] == "space") & (trials["wiring_cost"] == 0)]["trial"]
    means = plot.data[plot.data["group"] == "embedding space"].set_index(["outcome", "share"])
    for outcome, epoch in (("modularity_as_drawn", 0), ("modularity", 3)):
        rows = table[table["trial"].isin(free) & (table["epoch"] == epoch)]
        for share in SHORTEST:
            expected = rows[rows["share"] == share].groupby("trial")["modularity"].mean().mean()
            assert means["mean"][outcome, share] == pytest.approx(expected)
            assert (means["trials"][outcome, share], means["unit"][outcome, share]) == (3, "trials")
    assert plot.caption.startswith("Of the trials with the least wiring cost of their group")
    assert [axes.get_ylim() for axes in plot.figure.axes[:1]] == [plot.figure.axes[1].get_ylim()]


def test_the_only_trial_of_a_group_counts_by_its_replicates(sources: Sources) -> None:
    data = _drawn(graphs.efficiency(sources)).data
    free = data[data["group"] == "embedding free"]
    assert set(free["unit"]) == {"replicates"} and free["low"].isna().all()  # three are too few


def test_ratios_are_the_tables(sources: Sources) -> None:
    data = _drawn(graphs.clustering(sources)).data
    found = data[data["group"] == "embedding space"].set_index(["outcome", "share"])["mean"]
    for share in SHORTEST:
        assert found["clustering_ratio_as_drawn", share] == pytest.approx(share)
        assert found["clustering_ratio", share] == pytest.approx(3 + share)


def test_pruning_is_that_of_the_trials_without_cost(folder: Path, sources: Sources) -> None:
    data = _drawn(graphs.pruning(sources)).data.set_index(["group", "by", "share"])
    curves = (
        Sweep(folder)
        .table("pruning")
        .merge(Sweep(folder).table("trials")[["trial", "embedding", "wiring_cost"]])
    )
    own = curves[(curves["wiring_cost"] == 0) & (curves["embedding"] == "space")]
    rows = own[(own["by"] == "length") & (own["share"] == 0.5)]
    expected = rows.groupby("trial")["accuracy"].mean().mean()
    assert data.loc[("embedding space", "length", 0.5), "mean"] == pytest.approx(expected)
