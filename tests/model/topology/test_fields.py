import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.arrays import Floats
from model.datasets import SpikeDataset
from model.topology import (
    centroid_and_width,
    channel_places,
    preferred_channel,
    receptive_fields,
    strongest_channel,
)
from model.topology.fields import BANDS, banded, channel_place_spread, spike_triggered


def data(events: list[tuple[list[float], list[int]]], channels: int) -> SpikeDataset:
    return SpikeDataset.from_events(events, [0] * len(events), channels, 1)


def draw(seed: int) -> tuple[SpikeDataset, SpikeDataset]:
    """Spikes of 4 channels, and of 3 neurons in the same samples; neuron 2 is silent."""
    rng = np.random.default_rng(seed)

    def spikes(channels: int, known: int) -> SpikeDataset:
        events = []
        for size in rng.integers(0, 12, size=4):
            times = rng.integers(0, 30, size).astype(float)
            events.append((times.tolist(), rng.integers(known, size=size).tolist()))
        return data(events, channels)

    return spikes(4, 4), spikes(3, 2)


def naive_triggered(
    inputs: SpikeDataset, hidden: SpikeDataset, window: float, least: int, end: float
) -> Floats:
    following = np.zeros((hidden.n_channels, inputs.n_channels))
    shown = np.zeros(inputs.n_channels)
    for s in range(len(inputs)):
        for t_in, channel in zip(inputs.times[s], inputs.channels[s], strict=True):
            if t_in < end:
                shown[channel] += 1
                for t_out, neuron in zip(hidden.times[s], hidden.channels[s], strict=True):
                    following[neuron, channel] += 0 <= t_out - t_in < window
    return np.array(
        [[f / n if n >= least else 0.0 for f, n in zip(row, shown, strict=True)] for row in following]
    )


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 1000),
    st.integers(1, 4),
    st.sampled_from([1.0, 5.0, 50.0]),
    st.sampled_from([0.0, 11.0, 12.5, math.inf]),
)
def test_fields_and_preferred_channels_are_those_of_loops(
    seed: int, least: int, window: float, end: float
) -> None:
    inputs, hidden = draw(seed)
    expected = naive_triggered(inputs, hidden, window, least, end)
    assert spike_triggered(inputs, hidden, window, least, end) == pytest.approx(expected, abs=1e-12)
    fields = receptive_fields(inputs, hidden, window, least, end)
    for neuron in range(3):
        spikes = sum(int((hidden.channels[s] == neuron).sum()) for s in range(4))
        if spikes == 0:
            assert np.isnan(fields[neuron]).all()
        else:
            assert fields[neuron] == pytest.approx(expected[neuron] / (spikes / 4))
    whole = naive_triggered(inputs, hidden, window, least, math.inf)
    best = [int(np.argmax(row)) if max(row) > 0 else -1 for row in whole]
    assert preferred_channel(inputs, hidden, window, least).tolist() == best
    assert strongest_channel(receptive_fields(inputs, hidden, window, least)).tolist() == best


def test_fields_want_the_same_samples() -> None:
    for find in (preferred_channel, receptive_fields):
        with pytest.raises(ValueError, match="`inputs` has 1 samples, `hidden` 2"):
            find(data([([], [])], 2), data([([], []), ([], [])], 2))


def test_without_spikes_there_are_no_fields() -> None:
    nothing = data([([], [])], 2)
    assert np.isnan(receptive_fields(nothing, nothing)).all()
    assert preferred_channel(nothing, nothing).tolist() == [-1, -1]


def test_centroid_and_width_are_mean_and_deviation_of_what_excites() -> None:
    fields = np.array([[0, 2, 0, 0], [1, 0, 0, 1], [-5, 1, 3, -5], [-1, 0, 0, -1], [np.nan] * 4])
    centroid, width = centroid_and_width(fields)
    assert centroid == pytest.approx([1, 1.5, 1.75, np.nan, np.nan], nan_ok=True)
    assert width == pytest.approx([0, 1.5, math.sqrt(0.25 * 0.75), np.nan, np.nan], nan_ok=True)


def test_channels_have_the_places_of_loops() -> None:
    rng = np.random.default_rng(0)
    fields, positions = rng.normal(size=(6, 5)), rng.random((6, 2))
    fields[2] = np.nan
    fields[:, 3] = 0
    fields[2] = np.nan
    found = channel_places(fields, positions)
    for c in range(5):
        total, place = 0.0, [0.0, 0.0]
        for j in (0, 1, 3, 4, 5):
            total += abs(fields[j, c])
            place = [place[d] + abs(fields[j, c]) * positions[j, d] for d in range(2)]
        expected = [one / total for one in place] if total else [math.nan] * 2
        assert found[c] == pytest.approx(expected, nan_ok=True)
    match = channel_place_spread(fields, positions)
    assert match is not None
    known = np.delete(positions, 2, axis=0)
    apart = [math.dist(p, np.nanmean(found, axis=0)) for p in np.delete(found, 3, axis=0)]
    size = [math.dist(x, known.mean(0)) for x in known]
    assert match.value == pytest.approx(math.sqrt(np.mean(np.square(apart)) / np.mean(np.square(size))))


def test_channels_are_spread_like_the_cloud_where_each_has_a_neuron_of_its_own() -> None:
    positions = np.random.default_rng(0).random((7, 3))
    own = channel_place_spread(np.eye(7), positions)
    alike = channel_place_spread(np.ones((7, 4)), positions)
    assert own is not None and own.value == pytest.approx(1)
    assert alike is not None and alike.value == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("fields", "positions"),
    [
        (np.ones((4, 1)), np.random.default_rng(0).random((4, 2))),  # one channel
        (np.zeros((4, 3)), np.random.default_rng(0).random((4, 2))),  # none is followed
        (np.full((4, 3), np.nan), np.random.default_rng(0).random((4, 2))),  # all are silent
        (np.eye(4), np.full((4, 2), 0.3)),  # one place
    ],
)
def test_without_channels_or_space_there_is_no_spread(fields: Any, positions: Any) -> None:
    assert channel_place_spread(fields, positions) is None


@pytest.mark.parametrize("channels", [1, 3, BANDS, BANDS + 1, 70, 700])
def test_bands_are_means_of_neighbouring_channels(channels: int) -> None:
    fields = np.random.default_rng(0).normal(size=(2, channels))
    found = banded(fields)
    width = math.ceil(channels / BANDS)
    assert found.shape[1] <= BANDS
    for b in range(found.shape[1]):
        assert found[:, b] == pytest.approx(fields[:, b * width : (b + 1) * width].mean(1))
    assert found.shape[1] * width >= channels


def test_a_smooth_trajectory_appears_for_random_places_where_weights_are_smooth() -> None:
    """What figure 2 C shows says nothing of space."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(-1, 1, (128, 2))
    noise = rng.normal(size=(128, 200))
    smooth = np.array([np.convolve(row, np.ones(20) / np.sqrt(20), "valid") for row in noise])

    def step_over_spread(weights: Floats) -> float:
        places = channel_places(3 + weights, positions)
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        return float(np.sqrt((steps**2).mean() / ((places - places.mean(0)) ** 2).sum(1).mean()))

    assert step_over_spread(smooth) < 0.4
    assert step_over_spread(noise) == pytest.approx(math.sqrt(2), rel=0.1)
