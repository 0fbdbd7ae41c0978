"""The numbers that follow from time constants that each neuron has of its own, and the way back."""

from typing import Any, NamedTuple

import numpy as np

from model.arrays import Reals
from model.config import LearnerConfig


class TimeConstants(NamedTuple):
    """Constants of neurons that have their own, [R, N] each."""

    x_m: Reals  # dt / tau_mem, at most 1
    x_s: Reals
    decay_m: Reals  # exp(-dt / tau_mem)
    decay_s: Reals
    gain: Reals  # tau_syn / (tau_mem - tau_syn)


def make_time_constants(tau_mem: Reals, tau_syn: Reals, config: LearnerConfig) -> TimeConstants:
    """The constants of neurons with these time constants (ms), [R, N]."""
    dt = tau_mem.dtype.type(config.dt)
    x_m, x_s = dt / tau_mem, dt / tau_syn
    return TimeConstants(x_m, x_s, np.exp(-x_m), np.exp(-x_s), tau_syn / (tau_mem - tau_syn))


def by_taus(taus: TimeConstants, by_x_m: Reals, by_x_s: Reals, by_gain: Reals, dt: float) -> tuple[Any, Any]:
    """dL/d(tau_mem) and dL/d(tau_syn) [R, N] (per ms), from the derivatives by what follows from them."""
    tau_mem, tau_syn = dt / taus.x_m, dt / taus.x_s
    far = by_gain / (tau_mem - tau_syn)
    by_tau_mem = -by_x_m * taus.x_m / tau_mem - far * taus.gain
    by_tau_syn = -by_x_s * taus.x_s / tau_syn + far * (1 + taus.gain)
    return by_tau_mem, by_tau_syn
