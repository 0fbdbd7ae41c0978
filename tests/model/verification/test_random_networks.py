"""The kernel is the naive scheme, for any small network and any samples."""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_network import reference_features

from model import Cohort, LearnerConfig, SpikeDataset
from model.config import EMBEDDINGS, NEURONS

DURATION = 24.0
CHANNELS = 3


@st.composite
def configs(draw: Any) -> LearnerConfig:
    embedding, dimensions = draw(st.sampled_from(EMBEDDINGS)), draw(st.integers(1, 4))
    spatial = embedding in ("space", "fixed")
    shapes = ["none", "line"] + ["circle"] * (dimensions > 1) if spatial else ["none"]
    dt = draw(st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0]))
    return LearnerConfig(
        hidden=draw(st.integers(1, 6)),
        dimensions=dimensions,
        embedding=embedding,
        delay_scale=draw(st.floats(0.1, 40)),
        learn_delay_scale=spatial and draw(st.booleans()),
        input_embedding=draw(st.sampled_from(shapes)),
        min_delay=draw(st.sampled_from([None, dt, 2.5 * dt, DURATION])),
        dt=dt,
        duration=DURATION,
        tau_mem=draw(st.floats(2, 40)),
        tau_syn=draw(st.sampled_from([0.7, 1.9])),
        threshold=draw(st.floats(0.1, 3)),
        neuron=draw(st.sampled_from(NEURONS)),
        adaptation=draw(st.floats(0, 2)),
        tau_adaptation=draw(st.floats(8, 300)),
        tau_spread=draw(st.sampled_from([0.0, 0.4])) if dt <= 0.5 else 0.0,
    )


def spikes() -> st.SearchStrategy[list[tuple[float, int]]]:
    """Anywhere, and often at once, on borders of steps, and after the end."""
    times = st.integers(0, 8 * int(DURATION) + 16).map(lambda eighth: eighth / 8) | st.floats(0, DURATION)
    return st.lists(st.tuples(times, st.integers(0, CHANNELS - 1)), max_size=30)


def network(config: LearnerConfig, seed: int, drive: float) -> Cohort:
    net = Cohort(config, CHANNELS, 2, [seed, seed + 1], dtype=torch.float64)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        noise = torch.randn(net.w_in.shape, generator=draw, dtype=torch.float64)
        net.w_in.copy_(drive * (1 + noise))
        net.w_rec.copy_(torch.randn(net.w_rec.shape, generator=draw, dtype=torch.float64) * drive / 2)
        net.mask &= torch.rand(net.mask.shape, generator=draw) < 0.9
    return net


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    config=configs(),
    samples=st.lists(spikes(), min_size=1, max_size=2),
    seed=st.integers(0, 1000),
    drive=st.floats(2, 50),
)
def test_kernel_is_the_naive_scheme(
    config: LearnerConfig, samples: list[list[tuple[float, int]]], seed: int, drive: float
) -> None:
    net = network(config, seed, drive)
    events = [([time for time, _ in one], [channel for _, channel in one]) for one in samples]
    data = SpikeDataset.from_events(
        [(np.array(times, float), np.array(channels, int)) for times, channels in events],
        [0] * len(samples),
        CHANNELS,
        2,
    )
    chosen = np.tile(np.arange(len(samples)), (2, 1))
    with torch.no_grad():
        features, counts = reference_features(net, data, chosen)
        out = net(data, chosen)
    torch.testing.assert_close(out.counts, counts)
    torch.testing.assert_close(out.features, features, rtol=1e-9, atol=1e-12)
