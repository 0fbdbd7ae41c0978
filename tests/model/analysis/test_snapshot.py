"""What snapshots say of networks, against what they are made of."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from model import Cohort, SpikeDataset
from model.analysis.evaluation import evaluate
from model.analysis.snapshot import neurons_of, topology_of
from model.topology import MEASURES, NULL_MEASURES, communities, measures

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


@pytest.mark.parametrize("embedding", ["space", "fixed", "free", "none"])
def test_neurons_are_those_of_the_networks(
    lively_net: MakeNet, random_data: MakeData, embedding: str
) -> None:
    net, data = lively_net(embedding=embedding), random_data(samples=6)
    found = neurons_of(net, evaluate(net, data), 7)
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


def test_positions_are_kept_as_they_were(lively_net: MakeNet, random_data: MakeData) -> None:
    net = lively_net()
    found, before = neurons_of(net, evaluate(net, random_data()), 0), net.positions.detach().clone()
    with torch.no_grad():
        net.positions.add_(1.0)
    np.testing.assert_array_equal(found.positions, before)


def test_silent_neurons_prefer_nothing(lively_net: MakeNet) -> None:
    net, silent = lively_net(), SpikeDataset.from_events([([], [])] * 4, [0, 1, 2, 0], 4, 3)
    found = neurons_of(net, evaluate(net, silent), 0)
    assert (found.rate == 0).all() and (found.preferred_class == -1).all()
    assert np.isnan(found.selectivity).all()


@pytest.mark.parametrize("embedding", ["space", "axonal"])
@pytest.mark.parametrize("nulls", [0, 2])
def test_topology_is_measured_network_by_network(
    lively_net: MakeNet, random_data: MakeData, embedding: str, nulls: int
) -> None:
    net, data = lively_net(embedding=embedding, hidden=9), random_data(samples=12)
    evaluation = evaluate(net, data)
    found = topology_of(net, evaluation, nulls)
    assert set(found) == {*MEASURES, *(NULL_MEASURES if nulls else ())}
    alone = measures(
        net.w_rec[1].detach().numpy(),
        net.distances()[1].detach().numpy(),
        positions=net.positions[1].detach().numpy() if net.has_positions else None,
        w_in=net.w_in[1].detach().numpy(),
        spikes=evaluation.counts[1],
        labels=data.labels,
        nulls=nulls,
        mask=net.mask[1].numpy(),
    )
    for name, values in found.items():
        assert values.shape == (2,)
        np.testing.assert_array_equal(values[1], alone[name], err_msg=name)
