"""Small networks and samples that fire a lot, for the numerical tests."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.export import Bundle, bundle_of


@pytest.fixture
def random_data() -> Callable[..., SpikeDataset]:
    def make(samples: int = 3, channels: int = 4, duration: float = 40.0, spikes: int = 25) -> SpikeDataset:
        draw = np.random.default_rng(7)
        events = [
            (np.sort(draw.uniform(0, duration, spikes)), draw.integers(0, channels, spikes))
            for _ in range(samples)
        ]
        return SpikeDataset.from_events(events, np.arange(samples) % 3, channels, 3)

    return make


@pytest.fixture
def lively_net() -> Callable[..., Cohort]:
    """A float64 cohort with strong random weights of both signs, some of them zero and some masked."""

    def make(seeds: tuple[int, ...] = (3, 8), drive: float = 2.0, **config: Any) -> Cohort:
        defaults: dict[str, Any] = {"hidden": 5, "duration": 42.0, "delay_scale": 6.0}
        net = Cohort(LearnerConfig(**(defaults | config)), 4, 3, seeds, dtype=torch.float64)
        draw = torch.Generator().manual_seed(11)
        with torch.no_grad():
            net.w_in.copy_(torch.randn(net.w_in.shape, generator=draw, dtype=torch.float64) + drive)
            net.w_rec.copy_(torch.randn(net.w_rec.shape, generator=draw, dtype=torch.float64))
            net.w_rec[:, 0, 1] = 0.0
            net.mask[:, 1, 2] = False
            net.mask[:, 3, 0] = False
        return net

    return make


@pytest.fixture
def bundle(
    lively_net: Callable[..., Cohort], random_data: Callable[..., SpikeDataset]
) -> Callable[..., Bundle]:
    """Replicate 1 of a lively cohort with four samples, as an export takes them."""

    def make(expand: bool = False, **config: Any) -> Bundle:
        return bundle_of(lively_net(**config), 1, random_data(samples=4), 4, expand)

    return make
