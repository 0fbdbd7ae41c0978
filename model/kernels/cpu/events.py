"""Input spikes as the kernels read them: by sample, in time order, with their step and amplitudes."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.compile import OPTIONS, STRICT
from model.kernels.cpu.gain import gains_of
from model.kernels.scheme import place_of, rounding

if TYPE_CHECKING:
    from model.datasets import SpikeDataset


class Events(NamedTuple):
    """Input spikes of U samples, E in all."""

    start: npt.NDArray[np.int64]  # [U + 1]
    step: npt.NDArray[np.int32]  # [E], ascending within a sample
    channel: npt.NDArray[np.int32]  # [E]: row of the input weights
    phase: Reals  # [E]: place within the step, from 0 to below 1
    left_m: Reals  # [E]: exp(-r / tau_mem), r the time left in the step, times the spike's gain
    left_s: Reals  # [E]: exp(-r / tau_syn), likewise
    gain: Reals  # [E]: how strongly it acts, for neurons that find by themselves what is left of it


def gather(
    data: "SpikeDataset", samples: npt.NDArray[np.int64], config: LearnerConfig, dtype: npt.DTypeLike
) -> Events:
    """The events of `samples` [U] of `data`; spikes after the end of a sample are left out."""
    room = int(data.times.lengths[samples].sum())
    phase = np.empty(room, dtype)
    times, channels, offsets = data.times.flat, data.channels.flat, data.times.offsets
    start, step, channel = locate(
        times, channels, offsets, samples, config.dt, rounding(times), config.steps, phase
    )
    if config.pool_channels > 1:
        channel //= config.pool_channels
    phase = phase[: start[-1]]
    left = (phase - phase.dtype.type(1)) * phase.dtype.type(config.dt)
    left_m = np.exp(left * left.dtype.type(1 / config.tau_mem))
    left_s = np.exp(left * left.dtype.type(1 / config.tau_syn))
    step, channel = step[: start[-1]], channel[: start[-1]]
    gains = np.ones_like(phase)
    if config.drive_norm > 0:
        inputs = -(-data.n_channels // config.pool_channels)
        gains = gains_of(start, (step + phase) * config.dt, channel, inputs, config).astype(dtype)
        left_m, left_s = left_m * gains, left_s * gains
    return Events(start, step, channel, phase, left_m, left_s, gains)


_place_of = njit(**STRICT)(place_of)
"""With liberties, a division by dt would be a product with 1 / dt, which may fall into the next step."""


@njit(**OPTIONS)
def locate(times, channels, offsets, samples, dt, eps, steps, phase):
    """Write the phase of each spike; returns where samples start, and steps and channels of the spikes."""
    start = np.zeros(samples.shape[0] + 1, np.int64)
    step, channel = np.empty(phase.shape[0], np.int32), np.empty(phase.shape[0], np.int32)
    found = 0
    for u in range(samples.shape[0]):
        for e in range(offsets[samples[u]], offsets[samples[u] + 1]):
            whole, part = _place_of(times[e], dt, eps)
            if whole < steps:
                step[found], channel[found], phase[found] = whole, channels[e], part
                found += 1
        start[u + 1] = found
    return start, step, channel
