"""What neurons follow, against the spikes that a network fires."""

from collections.abc import Callable

import numpy as np
import pytest

from model import Cohort, SpikeDataset
from model.analysis import recording
from model.analysis.recording import hidden_spikes
from model.analysis.tuning import tuning_of
from model.topology import preferred_time, receptive_fields

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


def test_tuning_is_that_of_the_spikes_of_each_network(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(), random_data(samples=9, spikes=40)
    found = tuning_of(net, data)
    assert found.fields.shape == (2, 5, 4) and found.times.shape == (2, 5)
    for r, spikes in enumerate(hidden_spikes(net, data, np.arange(9))):
        np.testing.assert_array_equal(found.fields[r], receptive_fields(data, spikes))
        np.testing.assert_array_equal(found.times[r], preferred_time(spikes))
    assert np.isfinite(found.fields).any() and (found.fields[np.isfinite(found.fields)] > 0).any()


def test_input_spikes_that_come_too_late_do_not_count(lively_net: MakeNet, random_data: MakeData) -> None:
    net, data = lively_net(duration=20.0), random_data(samples=9, spikes=60)
    early = [data.times[s] < 20 for s in range(9)]
    events = [(data.times[s][kept], data.channels[s][kept]) for s, kept in enumerate(early)]
    cut = SpikeDataset.from_events(events, data.labels, 4, 3)
    assert len(cut.times.flat) < len(data.times.flat)
    np.testing.assert_array_equal(tuning_of(net, data).fields, tuning_of(net, cut).fields)


def test_samples_are_run_in_batches(
    lively_net: MakeNet, random_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, data = lively_net(), random_data(samples=9)
    whole = hidden_spikes(net, data, np.arange(9))
    monkeypatch.setattr(recording, "BATCH", 4)
    for one, other in zip(hidden_spikes(net, data, np.arange(9)), whole, strict=True):
        np.testing.assert_array_equal(one.times.flat, other.times.flat)
        np.testing.assert_array_equal(one.channels.flat, other.channels.flat)
        np.testing.assert_array_equal(one.times.offsets, other.times.offsets)
        np.testing.assert_array_equal(one.labels, other.labels)
