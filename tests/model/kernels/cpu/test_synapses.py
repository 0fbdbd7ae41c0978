"""The layout of synapses: every one is there once, padded runs begin on a cache line."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import LearnerConfig
from model.kernels.cpu.synapses import LANES, LINE, lay_out

CONFIG = LearnerConfig(duration=40.0, dt=0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    networks=st.integers(1, 3),
    sources=st.integers(1, 4),
    neurons=st.integers(1, 40),
    further=st.integers(0, 20),
    share=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    seed=st.integers(0, 100),
)
def test_every_synapse_is_in_the_run_of_its_source(
    dtype: Any, networks: int, sources: int, neurons: int, further: int, share: float, seed: int
) -> None:
    draw, shape = np.random.default_rng(seed), (networks, sources, neurons)
    weights = draw.normal(size=shape).astype(dtype)
    delays = draw.uniform(0.5, 60, shape).astype(dtype)
    mask = draw.random(shape) < share
    # Neurons beyond those that the sources act on make the ring wider, and nothing else.
    found = lay_out(weights, delays, mask, CONFIG, neurons + further, least=1)
    runs = list(pairwise((found.block * LANES).astype(int).tolist()))
    assert len(runs) == networks * sources
    present = mask & (delays < CONFIG.duration)
    np.testing.assert_array_equal(found.entry, np.flatnonzero(present))
    for (start, end), targets, kept, w, d in zip(
        runs,
        found.targets.astype(int).tolist(),
        present.reshape(-1, neurons),
        weights.reshape(-1, neurons),
        delays.reshape(-1, neurons),
        strict=True,
    ):
        assert targets == kept.sum() and 0 <= end - start - targets < LANES
        steps, neuron = np.divmod(found.offset[start : start + targets].astype(int), neurons + further)
        np.testing.assert_array_equal(neuron, np.flatnonzero(kept))
        found_delays = (steps + found.beta[start : start + targets].astype(float)) * CONFIG.dt
        np.testing.assert_allclose(found_delays, d[kept], rtol=1e-6)
        for tau, factor in ((CONFIG.tau_mem, found.weight_m), (CONFIG.tau_syn, found.weight_s)):
            rise = np.exp(found.beta[start : start + targets] * CONFIG.dt / tau) / 3  # g = 5 / (20 - 5)
            np.testing.assert_allclose(factor[start : start + targets], w[kept] * rise, rtol=1e-5)
            assert (factor[start + targets : end] == 0).all()
        assert (found.offset[start + targets : end] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_runs_begin_on_cache_lines(dtype: Any) -> None:
    weights = np.ones((1, 3, 5), dtype)
    found = lay_out(weights, weights, None, CONFIG, 5, least=0)
    assert found.block.tolist() == [0, 1, 2, 3]
    for values in (found.offset, found.beta, found.weight_m, found.weight_s):
        assert values.ctypes.data % LINE == 0 and LANES * values.itemsize % LINE == 0
