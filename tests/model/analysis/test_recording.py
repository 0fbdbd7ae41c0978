from collections.abc import Callable

import numpy as np
import pytest
from naive_network import readout_by_quadrature

from model import Cohort, SpikeDataset
from model.analysis.recording import hidden_spikes


@pytest.mark.parametrize("embedding", ["space", "free", "none"])
def test_spikes_make_up_the_features_and_counts(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset], embedding: str
) -> None:
    net, data = lively_net(embedding=embedding, dt=2.0), random_data()
    out = net(data, [[2, 0], [2, 0]])
    rasters = hidden_spikes(net, data, [2, 0])
    assert len(rasters) == net.replicates
    for r, raster in enumerate(rasters):
        assert raster.labels.tolist() == data.labels[[2, 0]].tolist()
        for b in range(2):
            features = np.zeros(net.config.hidden)
            for time, neuron in zip(raster.times[b], raster.channels[b], strict=True):
                features[neuron] += readout_by_quadrature(time, net.config)
            np.testing.assert_allclose(features, out.features[r, b].detach(), rtol=1e-7, atol=1e-12)
            counts = np.bincount(raster.channels[b], minlength=net.config.hidden)
            np.testing.assert_array_equal(counts, out.counts[r, b].detach())
        assert raster.times.flat.size > 20


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
