"""Threads that share the pairs of a network and a sample."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from model import Cohort, SpikeDataset

MakeNet = Callable[..., Cohort]
MakeData = Callable[..., SpikeDataset]


@pytest.mark.parametrize("threads", [2, 3, 9])
@pytest.mark.parametrize("samples", [3, 10])
def test_threads_change_nothing_beyond_rounding(
    lively_net: MakeNet, random_data: MakeData, threads: int, samples: int
) -> None:
    """Whether they share one chunk of pairs or many; and the same number of them changes nothing at all."""
    net, data = lively_net(), random_data(samples=samples)
    chosen = np.stack([np.arange(samples), np.arange(samples)[::-1]])

    def features_and_gradients(count: int) -> list[Tensor]:
        net.threads = count
        out = net(data, chosen)
        weight = torch.linspace(-1, 2, out.features.numel(), dtype=torch.float64).view_as(out.features)
        learned = [net.w_in, net.w_rec, net.positions]
        return [out.features.detach(), *torch.autograd.grad((weight * out.features).sum(), learned)]

    alone, shared, again = (features_and_gradients(count) for count in (1, threads, threads))
    torch.testing.assert_close(alone[0], shared[0], rtol=0, atol=0)
    for one, other, repeated in zip(alone, shared, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13 * float(one.abs().max()))
        torch.testing.assert_close(other, repeated, rtol=0, atol=0)
