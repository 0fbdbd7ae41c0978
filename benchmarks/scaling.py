"""How the cost of the pinned workload grows with everything that it can grow with."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from model import Cohort, LearnerConfig, SpikeDataset

PINNED = LearnerConfig(hidden=128, dimensions=2, delay_scale=30.0, dt=1.0, duration=1000.0)
VARIED: dict[str, tuple[Any, ...]] = {
    "hidden": (64, 128, 256, 512, 1024),
    "dimensions": (1, 2, 3, 4),
    "duration": (500.0, 1000.0, 2000.0, 4000.0),
    "dt": (0.5, 1.0, 2.0, 4.0),
    "drive": (0.25, 0.5, 1.0, 2.0),
    "sparsity": (0.0, 0.5, 0.9, 0.99),
}


def make_network(
    config: LearnerConfig,
    channels: int,
    classes: int,
    threads: int = 1,
    drive: float = 1.0,
    sparsity: float = 0.0,
) -> Cohort:
    """The network of the workload: w_in ~ N(0.03, 0.01) times `drive`, w_rec ~ N(0, 0.02), x ~ U(-1, 1)^D.

    Recurrent weights shrink with the root of N beyond 128, so that activity stays alike; `sparsity` is the
    share of synapses that are masked out.
    """
    net = Cohort(config, channels, classes, [0], threads=threads)
    draw = np.random.default_rng(0)
    spread = 0.02 * (PINNED.neurons / config.neurons) ** 0.5
    with torch.no_grad():
        for parameter, mean, deviation in ((net.w_in, 0.03 * drive, 0.01 * drive), (net.w_rec, 0.0, spread)):
            parameter.copy_(torch.tensor(draw.normal(mean, deviation, parameter.shape)))
        net.positions.copy_(torch.tensor(draw.uniform(-1, 1, net.positions.shape)))
        net.mask &= torch.from_numpy(draw.random(net.mask.shape) >= sparsity)
    return net


def varied_networks(data: SpikeDataset, classes: int) -> Iterator[tuple[str, Cohort]]:
    """Networks that differ from the pinned one in one thing, with a name for each."""
    for name, values in VARIED.items():
        for value in values:
            config, others = PINNED, {}
            if name in ("drive", "sparsity"):
                others = {name: value}
            else:
                config = replace(PINNED, **{name: value})
            yield f"{name} {value:g}", make_network(config, data.n_channels, classes, **others)
