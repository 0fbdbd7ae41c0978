"""Channels that share their weights are one channel."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.analysis.recording import hidden_spikes
from model.datasets import Ragged
from model.network.best import Best
from model.network.checkpoint import pack, unpack

CHANNELS, POOL = 7, 3
ARRANGED = {"none": {}, "line": {"input_embedding": "line", "learn_input_positions": True}}


def data() -> SpikeDataset:
    draw = np.random.default_rng(0)
    events = [(np.sort(draw.uniform(0, 30, 40)), draw.integers(CHANNELS, size=40)) for _ in range(4)]
    return SpikeDataset.from_events(events, [0, 1, 0, 1], CHANNELS, 2)


def by_hand(data: SpikeDataset) -> SpikeDataset:
    channels = Ragged(data.channels.flat // POOL, data.channels.offsets)
    return replace(data, channels=channels, n_channels=-(-CHANNELS // POOL))


@pytest.mark.parametrize("arranged", ARRANGED)
def test_pooled_channels_are_one(arranged: str) -> None:
    alone = LearnerConfig(hidden=9, duration=40.0, **ARRANGED[arranged])  # type: ignore[arg-type]
    net = Cohort(replace(alone, pool_channels=POOL), CHANNELS, 2, seeds=[3, 4])
    other = Cohort(alone, 3, 2, seeds=[3, 4])
    assert net.w_in.shape == (2, 3, 9) and net.learned_parameters == other.learned_parameters
    samples = np.tile(np.arange(4), (2, 1))
    outputs = []
    for one, shown in ((net, data()), (other, by_hand(data()))):
        one.w_in.data *= 30
        out = one(shown, samples)
        assert out.counts.sum() > 20
        out.logits.square().sum().backward()
        outputs.append((out, one))
    for found, wanted in zip(outputs[0][0], outputs[1][0], strict=True):
        assert torch.equal(found, wanted)
    assert net.w_in.grad is not None and other.w_in.grad is not None
    for (name, found), (_, wanted) in zip(net.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(found, wanted), name
        if found.grad is not None and wanted.grad is not None:
            assert torch.equal(found.grad, wanted.grad), name
    for found, wanted in zip(
        hidden_spikes(net, data(), range(4)), hidden_spikes(other, by_hand(data()), range(4)), strict=True
    ):
        assert found.digest() == wanted.digest()


def test_networks_that_pool_are_kept() -> None:
    net = Cohort(LearnerConfig(hidden=5, duration=40.0, pool_channels=POOL), CHANNELS, 2, seeds=[1])
    again = unpack(pack(net, None, 0, Best()))[0]
    assert torch.equal(again.w_in, net.w_in) and again.n_channels == CHANNELS
