"""What snapshots say of networks, against what they are made of."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from model import Cohort, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.snapshot import Neurons, neurons_of, topology_of
from model.analysis.tuning import tuning_of
from model.topology import (
    MEASURES,
    NULL_MEASURES,
    SHAPES,
    communities,
    effective_dimension,
    last_axis_share,
    measures,
    null_measures,
)

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


def look(net: Cohort, data: SpikeDataset, epoch: int) -> Neurons:
    return neurons_of(net, evaluate(net, data), tuning_of(net, data), epoch)


@pytest.mark.parametrize("embedding", ["space", "fixed", "free", "none"])
def test_neurons_are_those_of_the_networks(
    lively_net: MakeNet, random_data: MakeData, embedding: str
) -> None:
    net, data = lively_net(embedding=embedding), random_data(samples=6)
    found, tuning = look(net, data, 7), tuning_of(net, data)
    assert found.epoch == 7
    out = net(data, np.tile(np.arange(6), (2, 1)))
    np.testing.assert_allclose(found.rate, out.counts.detach().mean(1))
    for r in range(2):
        by_class = np.stack([out.counts[r, data.labels == c].detach().mean(0) for c in range(3)])
        fired = found.rate[r] > 0
        assert fired.any()
        np.testing.assert_array_equal(found.preferred_class[r, fired], by_class.argmax(0)[fired])
        expected = communities(net.w_rec[r].detach().numpy(), seed=0, mask=net.mask[r].numpy())
        np.testing.assert_array_equal(found.module[r], expected)
    assert (found.positions is not None) == net.has_positions
    np.testing.assert_array_equal(found.preferred_time, tuning.times)
    channels = np.arange(4)
    for r, n in ((0, 1), (1, 4)):
        field, above = tuning.fields[r, n], net.w_in[r, :, n].detach().clamp(min=0).numpy()
        assert found.preferred_channel[r, n] == field.argmax()
        for centroid, width, weights in (
            (found.field_centroid, found.field_width, field),
            (found.input_centroid, found.input_width, above),
        ):
            mean = np.average(channels, weights=weights)
            assert centroid[r, n] == pytest.approx(mean)
            assert width[r, n] == pytest.approx(np.sqrt(np.average((channels - mean) ** 2, weights=weights)))
        if net.has_positions:
            centre = net.positions[r].detach().mean(0)
            away = float((net.positions[r, n].detach() - centre).norm())
            assert found.radius[r, n] == pytest.approx(away)
    assert np.isfinite(found.radius).all() == net.has_positions


def test_positions_are_kept_as_they_were(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net()
    found, before = look(net, random_data(), 0), net.positions.detach().clone()
    with torch.no_grad():
        net.positions.add_(1.0)
    np.testing.assert_array_equal(found.positions, before)


def test_silent_neurons_prefer_nothing(lively_net: MakeNet) -> None:
    net, silent = lively_net(), SpikeDataset.from_events([([], [])] * 4, [0, 1, 2, 0], 4, 3)
    found = look(net, silent, 0)
    assert (found.rate == 0).all() and (found.preferred_class == -1).all()
    assert (found.preferred_channel == -1).all()
    for unknown in (found.selectivity, found.preferred_time, found.field_centroid, found.field_width):
        assert np.isnan(unknown).all()


@pytest.mark.parametrize("embedding", ["space", "axonal"])
@pytest.mark.parametrize("nulls", [0, 2])
def test_topology_is_measured_network_by_network(
    lively_net: MakeNet, random_data: MakeData, embedding: str, nulls: int
) -> None:
    net, data = lively_net(embedding=embedding, hidden=9), random_data(samples=12)
    evaluation, tuning = evaluate(net, data), tuning_of(net, data)
    found = topology_of(net, evaluation, tuning, nulls)
    assert set(found) == {*MEASURES, *SHAPES, *(NULL_MEASURES if nulls else ())}
    alone = measures(
        net.w_rec[1].detach().numpy(),
        net.distances()[1].detach().numpy(),
        positions=net.positions[1].detach().numpy() if net.has_positions else None,
        w_in=net.w_in[1].detach().numpy(),
        spikes=evaluation.counts[1],
        labels=data.labels,
        nulls=nulls,
        mask=net.mask[1].numpy(),
        fields=tuning.fields[1],
        times=tuning.times[1],
    )
    spatial = [name for name in MEASURES if "moran" in name or "mantel" in name or "channel" in name]
    assert all(np.isnan(found[name]).all() != net.has_positions for name in spatial)
    few = topology_of(net, evaluation, tuning, nulls, ["preferred_time_moran"])
    assert set(few) == {*MEASURES, *SHAPES, *(null_measures(["preferred_time_moran"]) if nulls else ())}
    shape = {name: found.pop(name) for name in SHAPES}
    if net.has_positions:
        own = net.positions[1].detach().numpy()
        assert shape["effective_dimension"][1] == effective_dimension(own)
        assert shape["last_axis_share"][1] == last_axis_share(own)
    assert all(np.isnan(one).all() != net.has_positions for one in shape.values())
    for name, values in found.items():
        assert values.shape == (2,)
        np.testing.assert_array_equal(values[1], alone[name], err_msg=name)
