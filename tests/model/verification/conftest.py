"""The comparison with the naive scheme that most of these tests end in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from naive_network import reference_features
from torch import Tensor

from model import Cohort, SpikeDataset


@pytest.fixture
def match_naive() -> Callable[[Cohort, SpikeDataset, Any], Tensor]:
    """Asserts that a float64 cohort does as the naive scheme, gradients included; returns the counts."""

    def match(net: Cohort, data: SpikeDataset, samples: Any) -> Tensor:
        out, (features, counts) = net(data, np.asarray(samples)), reference_features(net, data, samples)
        torch.testing.assert_close(out.counts, counts)
        torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)
        weight = torch.linspace(-1, 2, features.numel(), dtype=torch.float64).view_as(features)
        learned = [p for name, p in net.named_parameters() if p.requires_grad and "out" not in name]
        found = gradients((weight * (out.features + 0.01 * out.counts)).sum(), learned)
        expected = gradients((weight * (features + 0.01 * counts)).sum(), learned)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6 * other.abs().max().item())
        return counts.detach()

    return match


def gradients(loss: Tensor, learned: list[torch.nn.Parameter]) -> list[Tensor]:
    """Gradients by `learned`, zero for what does not act on the loss."""
    if not loss.requires_grad:
        return [torch.zeros_like(one) for one in learned]
    grads = torch.autograd.grad(loss, learned, allow_unused=True)
    return [torch.zeros_like(one) if grad is None else grad for one, grad in zip(learned, grads, strict=True)]
