"""Hidden spikes as data sets, a network each."""

from collections.abc import Callable

import numpy as np
import pytest

from model import Cohort, SpikeDataset
from model.analysis.recording import hidden_spikes


def test_each_network_has_its_spikes_of_the_samples_asked_for(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net, data = lively_net(dt=2.0), random_data()
    out = net(data, [[2, 0], [2, 0]])
    rasters = hidden_spikes(net, data, [2, 0])
    assert len(rasters) == net.replicates
    for r, raster in enumerate(rasters):
        assert raster.labels.tolist() == data.labels[[2, 0]].tolist()
        assert (raster.n_channels, raster.n_classes) == (5, 3)
        for b in range(2):
            counts = np.bincount(raster.channels[b], minlength=net.config.neurons)
            np.testing.assert_array_equal(counts, out.counts[r, b].detach())
            assert (np.diff(raster.times[b]) >= 0).all()
        assert raster.times.flat.size > 20 and raster.times.flat.max() < net.config.duration


def test_delayed_inputs_count(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net, data = lively_net(input_embedding="line"), random_data()
    (first, _) = hidden_spikes(net, data, [1])
    counts = net(data, [[1], [1]]).counts[0, 0].detach()
    np.testing.assert_array_equal(np.bincount(first.channels[0], minlength=5), counts)


def test_no_samples_and_other_channels(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> None:
    net = lively_net()
    assert [len(raster) for raster in hidden_spikes(net, random_data(), [])] == [0, 0]
    with pytest.raises(ValueError, match="`data` has 6 channels, the networks 4"):
        hidden_spikes(net, random_data(channels=6), [0])
