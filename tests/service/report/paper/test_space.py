from pathlib import Path

import numpy as np

from service.report.items import Plot
from service.report.paper import space
from service.report.paper.sources import Sources
from service.results.sweep import Sweep


def test_positions_over_the_epochs_are_those_recorded(folder: Path, sources: Sources) -> None:
    plot = space.epochs(sources)
    assert isinstance(plot, Plot)
    data = plot.data
    trial = int(data["trial"].iloc[0])
    assert trial == sources.in_space[0].trial
    recorded = Sweep(folder).table("neurons").query(f"trial == {trial} and epoch == 3").sort_values("neuron")
    found = data[data["epoch"] == 3].pivot(index="neuron", columns="axis", values="position")
    np.testing.assert_allclose(found, np.array(recorded["position"].tolist()))
    assert sorted(data["epoch"].unique()) == [0, 3]
    panels = [axes for axes in plot.figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left").split("\n")[-1] for axes in panels] == ["epoch 0", "epoch 3"]
    assert len({axes.get_xlim() for axes in panels}) == 1
