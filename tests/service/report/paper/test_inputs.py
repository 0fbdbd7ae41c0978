from dataclasses import replace

import numpy as np
import pytest

from model.analysis.recording import hidden_spikes
from model.datasets import DataConfig, load_splits
from service.report.held_out import SAMPLES
from service.report.items import Plot
from service.report.paper import inputs
from service.report.paper.sources import Sources


def _drawn(found: Plot | str) -> Plot:
    assert isinstance(found, Plot), found
    return found


def test_r2_by_chance_is_what_the_ratio_was_taken_to(sources: Sources) -> None:
    means = _drawn(inputs.regression(sources)).data
    networks = sources.sweep_data.networks
    own = networks[(networks["group"] == "embedding space") & (networks["wiring_cost"] == 0.1)]
    chance = (own["input_position_r2"] / own["input_position_r2_ratio"]).groupby(own["trial"]).mean().mean()
    row = means[(means["outcome"] == "input_position_r2_null") & (means["group"] == "embedding space")]
    assert row.set_index("wiring_cost")["mean"][0.1] == pytest.approx(chance)
    outcomes = [
        "input_position_r2",
        "input_position_r2_null",
        "input_position_r2_cv",
        "input_position_r2_cv_z",
    ]
    assert list(dict.fromkeys(means["outcome"])) == outcomes


def test_places_of_channels_by_weights(sources: Sources) -> None:
    plot = _drawn(inputs.by_weights(sources))
    best = sources.in_space[0]
    w, x = best.net.w_in[0].detach().numpy(), best.net.positions[0].detach().numpy()
    expected = [sum(abs(w[c, j]) * x[j] for j in range(12)) / sum(abs(w[c])) for c in range(64)]
    found = plot.data[plot.data["trial"] == best.trial].pivot(index="channel", columns="axis", values="place")
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert "appears wherever input weights are smooth" in plot.caption
    assert "spread 0." in plot.figure.axes[0].get_title(loc="left")
    assert "z not recorded" in plot.figure.axes[0].get_title(loc="left")


def test_places_of_channels_by_spikes(sources: Sources) -> None:
    data = _drawn(inputs.by_spikes(sources)).data
    best = sources.in_space[0]
    shown = load_splits(sources.sweep_data.data).held_out[1].subset(slice(SAMPLES))
    end = best.net.config.steps * best.net.config.dt
    hidden = hidden_spikes(best.net, shown, np.arange(len(shown)))[0]
    following, fired = np.zeros((12, 64)), np.zeros(12)
    for s in range(len(shown)):
        for time, neuron in zip(hidden.times[s], hidden.channels[s], strict=True):
            fired[neuron] += 1
            before = (shown.times[s] > time - 5) & (shown.times[s] <= time) & (shown.times[s] < end)
            np.add.at(following[neuron], shown.channels[s][before], 1)
    counts = np.bincount(
        np.concatenate([shown.channels[s][shown.times[s] < end] for s in range(len(shown))]), minlength=64
    )
    strong = np.where(counts >= 10, following / np.maximum(counts, 1), 0)[fired > 0] / fired[fired > 0, None]
    x = best.net.positions[0].detach().numpy()[fired > 0]
    with np.errstate(invalid="ignore"):
        expected = (strong.T @ x) / strong.sum(0)[:, None]
    found = data[data["trial"] == best.trial].pivot(index="channel", columns="axis", values="place")
    assert np.isfinite(expected).sum() > 20
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_data_that_is_not_there_is_told(sources: Sources) -> None:
    gone = replace(sources.sweep_data, data=DataConfig(path="/nowhere/gone.h5"))
    found = inputs.by_spikes(replace(sources, sweep_data=gone))
    assert isinstance(found, str) and "gone.h5" in found and found.startswith("the networks can't be shown")


def test_radius_and_time_are_those_of_the_last_snapshot(sources: Sources) -> None:
    data = _drawn(inputs.radius_and_time(sources)).data
    best = sources.in_space[0]
    rows = best.neurons[best.neurons["epoch"] == 3]
    found = data[data["trial"] == best.trial].set_index("neuron")
    np.testing.assert_allclose(found["radius"], rows["radius"])
    np.testing.assert_allclose(found["preferred_time"], rows["preferred_time"])
    assert set(data["trial"]) == {one.trial for one in sources.in_space}
