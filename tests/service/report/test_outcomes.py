from pathlib import Path

import pytest
from known_sweep import write_known_sweep

from service.report.items import Plot
from service.report.outcomes import SIDE_BY_SIDE, draw_outcomes
from service.report.sweep_data import read_sweep_data
from service.results.sweep import Sweep


def test_groups_stand_side_by_side_where_there_is_no_axis(tmp_path: Path) -> None:
    trials: list[tuple[float, str, int | None]] = [(0.1, "free", None), (0.1, "space", 2)]
    data = read_sweep_data(Sweep(write_known_sweep(tmp_path / "known", trials=trials)))
    assert data.x is None
    plot = draw_outcomes(data, ["accuracy"])
    assert isinstance(plot, Plot)
    found = plot.data.set_index("group")["mean"].to_dict()
    assert found == pytest.approx(data.networks.groupby("group")["accuracy"].mean().to_dict())
    assert len(found) == 2 and SIDE_BY_SIDE in plot.data and not plot.figure.axes[0].get_xlabel()
