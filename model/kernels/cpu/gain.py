"""How strongly an input spike acts where the drive is normalised: the less, the more were there before."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from model.arrays import Reals
from model.config import LearnerConfig
from model.kernels.cpu.compile import OPTIONS


def gains_of(
    start: npt.NDArray[np.int64], times: Reals, inputs: npt.NDArray[Any], count: int, config: LearnerConfig
) -> Reals:
    """The factor with which each input spike acts [E], (1 + crowd)^-drive_norm, above 0 and at most 1.

    The crowd is the number of earlier spikes of its sample, each faded by exp(-age / drive_norm_tau): those
    of its own input or, with `drive_norm_over` all, the mean over all inputs. So it is causal, knows nothing
    of other samples, and does not depend on what is learned. Source: Carandini & Heeger, "Normalization as a
    canonical neural computation", Nature Reviews Neuroscience 13, 2012.

    Args:
        start: where the spikes of each of U samples begin [U + 1].
        times: of the spikes (ms), ascending within a sample [E].
        inputs: whose they are [E].
        count: how many inputs there are.
        config: the exponent, the time constant, and what the crowd is.
    """
    together = config.drive_norm_over == "all"
    faded = _crowds(start, times, inputs, count, config.drive_norm_tau, together)
    gains: Reals = (1 + faded) ** times.dtype.type(-config.drive_norm)
    return gains


@njit(**OPTIONS)
def _crowds(start, times, inputs, count, tau, together):
    """The crowd that each spike meets [E]."""
    crowds = np.empty(times.shape[0], times.dtype)
    crowd, last = np.zeros(count), np.zeros(count)
    share = 1 / count if together else 1.0
    for u in range(start.shape[0] - 1):
        crowd[:] = 0.0
        for e in range(start[u], start[u + 1]):
            i = 0 if together else inputs[e]
            if crowd[i] > 0:
                crowd[i] *= np.exp((last[i] - times[e]) / tau)
            crowds[e] = crowd[i]
            crowd[i], last[i] = crowd[i] + share, times[e]
    return crowds
