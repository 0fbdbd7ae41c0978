"""What is left of networks when synapses are taken out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, SpikeDataset
from model.analysis.pruning import pruning_curve

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


@pytest.mark.parametrize("by", ["magnitude", "length"])
def test_pruning_takes_the_right_synapses_and_gives_them_back(
    lively_net: MakeNet, random_data: MakeData, by: Any
) -> None:
    net, data = lively_net(), random_data(samples=12)
    mask = net.mask.clone()
    found = pruning_curve(net, data, by, [0.0, 0.5, 1.0])
    assert found.shape == (3, 2) and torch.equal(net.mask, mask)
    for row, share in zip(found, [0.0, 0.5, 1.0], strict=True):
        for r in range(2):
            size = net.w_rec[r].detach().abs() if by == "magnitude" else -net.distances()[r].detach()
            limit = size[mask[r]].sort().values
            count = round(share * len(limit))
            net.mask[r] = mask[r] & ((size >= limit[count]) if count < len(limit) else False)
        labels = torch.from_numpy(data.labels)
        right = (net(data, np.tile(np.arange(12), (2, 1))).logits.argmax(2) == labels).double().mean(1)
        assert row.tolist() == right.tolist()
        net.mask.copy_(mask)


def test_orders_and_shares_that_are_none_are_refused(lively_net: MakeNet, random_data: MakeData) -> None:
    by: Any = "weight"
    with pytest.raises(ValueError, match="`by`: got weight, expected magnitude or length"):
        pruning_curve(lively_net(), random_data(), by)
    with pytest.raises(ValueError, match=r"`shares`: got .* expected numbers from 0 to 1"):
        pruning_curve(lively_net(), random_data(), "length", [0.5, 1.5])
