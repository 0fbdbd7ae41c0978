"""A readout by several windows of time: what it hears of a spike, and how that depends on the spike's time.

The kernels know the whole sample alone. Features by windows are taken from the spikes they have left, and on
the way back each spike is given the one number that they ask for: how the loss depends on its time through
the readout. So nothing of this runs where the readout has one window.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.compile import INLINED, OPTIONS
from model.kernels.scheme import readout_tails, window_borders


class Windows(NamedTuple):
    """The readout's windows, W of them, as tables."""

    of_step: npt.NDArray[np.int64]  # [steps]: the window of each step
    # For a spike at the start of a step, what is left of it after the end of each window, as the last one's
    # are in `Scheme`; nothing that is read where the window is over before the step.
    out_m: Reals  # [W, steps]
    out_s: Reals  # [W, steps]


def make_windows(config: LearnerConfig, dtype: npt.DTypeLike) -> Windows | None:
    """The windows of a configuration; None if there is one, which the kernels know."""
    if config.readout_windows == 1:
        return None
    borders = window_borders(config)
    tails = [readout_tails(config, end) for end in borders[1:]]
    out_m, out_s = (np.stack([tail[k] for tail in tails]).astype(dtype) for k in (0, 1))
    return Windows(np.repeat(np.arange(len(tails)), np.diff(borders)), out_m, out_s)


@njit(**OPTIONS)
def read_windows(first, last, begin, spikes, windows, scheme, features):
    """Write what the readout hears in each window of the pairs `first` to `last` to `features` [P, W, N]."""
    for pair in range(first, last):
        features[pair] = scheme.zero
        for e in range(begin[pair - first], begin[pair - first + 1]):
            j, before = spikes.neuron[e], scheme.zero
            for w in range(windows.of_step[spikes.step[e]], windows.out_m.shape[0]):
                value, _ = until(w, e, spikes, windows, scheme)
                features[pair, w, j] += value - before
                before = value


@njit(**OPTIONS)
def slopes_by_windows(first, last, begin, spikes, windows, scheme, grad_features):
    """dL/d(time) of each spike through the readout (per ms) [K], from dL/dfeatures [P, W, N]."""
    slopes = np.zeros_like(spikes.slope)
    for pair in range(first, last):
        for e in range(begin[pair - first], begin[pair - first + 1]):
            j, before = spikes.neuron[e], scheme.zero
            for w in range(windows.of_step[spikes.step[e]], windows.out_m.shape[0]):
                _, slope = until(w, e, spikes, windows, scheme)
                slopes[e] += grad_features[pair, w, j] * (slope - before)
                before = slope
    return slopes


@njit(**INLINED)
def until(w, e, spikes, windows, scheme):
    """What the readout has heard of spike `e` by the end of window `w`, and its derivative (per ms)."""
    k, phi = spikes.step[e], spikes.phase[e]
    by_t = scheme.out_t[k] * np.exp(-phi * scheme.x_t)
    by_m = windows.out_m[w, k] * np.exp(phi * scheme.x_m)
    by_s = windows.out_s[w, k] * np.exp(phi * scheme.x_s)
    slope = (by_s * scheme.x_s - by_m * scheme.x_m - by_t * scheme.x_t) / scheme.dt
    return by_t - by_m + by_s, slope
