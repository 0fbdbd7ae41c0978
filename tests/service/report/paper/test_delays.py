import numpy as np
import pytest

from service.report.items import Plot
from service.report.paper import delays
from service.report.paper.sources import Sources


def test_strength_by_delay_is_counted_over_all_replicates(sources: Sources) -> None:
    plot = delays.strength(sources)
    assert isinstance(plot, Plot)
    one = sources.exemplars[0]
    rows = plot.data[plot.data["trial"] == one.trial]
    count, total = np.zeros(len(rows)), np.zeros(len(rows))
    for r in range(3):
        delay, weight = one.net.delays()[r].detach().numpy(), one.net.w_rec[r].detach().numpy()
        for i in range(12):
            for j in range(12):
                if i != j:
                    k = int(np.nonzero(rows["from_ms"] <= delay[i, j])[0][-1])
                    count[k] += 1
                    total[k] += abs(weight[i, j])
    assert count.sum() == rows["synapses"].sum() == 3 * 12 * 11
    np.testing.assert_allclose(rows["product"], count * total, rtol=1e-5)
    assert plot.figure.axes[0].get_yscale() == "log"


@pytest.mark.parametrize(
    ("values", "width", "low", "high"),
    [
        ([2.5, 7.0], 1, 2, 8),
        ([0.0, 399.5], 1, 0, 400),
        ([0.0, 400.0], 2, 0, 402),
        ([], 1, 0, 1),
        ([3.0], 1, 3, 4),
    ],
)
def test_bins_hold_all_delays(values: list[float], width: float, low: float, high: float) -> None:
    borders = delays.bins(np.array(values))
    assert [borders[0], borders[-1]] == [low, high] and set(np.diff(borders)) == {width}
    assert len(borders) - 1 <= delays.MOST_BINS
