"""Input spikes as the kernels read them: by sample, in time order, with their step and amplitudes."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from model.config import LearnerConfig
from model.kernels.scheme import Floats, gain

if TYPE_CHECKING:
    from model.datasets import SpikeDataset


class Events(NamedTuple):
    """Input spikes of U samples, E in all."""

    start: npt.NDArray[np.int64]  # [U + 1]
    step: npt.NDArray[np.int32]  # [E], ascending within a sample
    channel: npt.NDArray[np.int32]  # [E]
    phase: Floats  # [E]: place within the step, from 0 to below 1
    amplitude_m: Floats  # [E]: g exp(-r / tau_mem), r the time left in the step
    amplitude_s: Floats  # [E]


def gather(
    data: "SpikeDataset", samples: npt.NDArray[np.int64], config: LearnerConfig, dtype: npt.DTypeLike
) -> Events:
    """The events of `samples` [U] of `data`; spikes after the end of a sample are left out."""
    times, channels = data.times.take(samples), data.channels.take(samples)
    start, channel = times.offsets, channels.flat
    position = times.flat.astype(np.float64) / config.dt
    step = np.floor(position)
    inside = step < config.steps
    if not inside.all():
        start = np.concatenate([[0], np.cumsum(inside)])[start]
        position, step, channel = position[inside], step[inside], channel[inside]
    left = ((1 - (position - step)) * config.dt).astype(dtype)
    g = left.dtype.type(gain(config.tau_mem, config.tau_syn))
    return Events(
        start=start,
        step=step.astype(np.int32),
        channel=channel,
        phase=(position - step).astype(dtype),
        amplitude_m=np.exp(left * left.dtype.type(-1 / config.tau_mem)) * g,
        amplitude_s=np.exp(left * left.dtype.type(-1 / config.tau_syn)) * g,
    )
