"""The numbers of the integration scheme that are the same for every synapse.

Time is divided into steps of `dt`; spikes fall inside steps. The membrane is the difference of two
exponentials, V = M - S, which decay exactly between arrivals. A weight w that arrives a time r before the
end of its step adds g w exp(-r / tau_mem) to M and g w exp(-r / tau_syn) to S, with
g = tau_syn / (tau_mem - tau_syn).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from model.arrays import Reals
from model.config import LearnerConfig


class Scheme(NamedTuple):
    """Constants of a simulation in the kernels' precision: a float64 among them would widen every loop."""

    steps: int
    zero: Any
    one: Any
    dt: Any
    threshold: Any
    decay_m: Any  # exp(-dt / tau_mem)
    decay_s: Any  # exp(-dt / tau_syn)
    rate_m: Any  # 1 / tau_mem
    rate_s: Any  # 1 / tau_syn
    gain: Any  # g
    # The readout's kernel at the start of each step k, as three exponentials in the spike's phase:
    # K(k, phi) = out_t[k] exp(-phi x_t) - out_m[k] exp(phi x_m) + out_s[k] exp(phi x_s)
    x_t: Any
    x_m: Any
    x_s: Any
    out_t: Reals  # [steps]
    out_m: Reals  # [steps]
    out_s: Reals  # [steps]


def gain(tau_mem: float, tau_syn: float) -> float:
    """Gain of the postsynaptic potential, tau_syn / (tau_mem - tau_syn)."""
    return tau_syn / (tau_mem - tau_syn)


def place_of(time: Any, dt: float, eps: float) -> Any:
    """The step that a time (ms) of rounding `eps` falls into, and its place there, from 0 to below 1.

    Of a number or of an array. A time that rounding alone keeps below a border of steps is on it: 37.9
    begins step 379 of 0.1. This is the one rule by which a spike is in a sample or after its end; it is
    compiled into the kernels as it stands.

    >>> place_of(np.array([7.5, 37.9]), 0.1, 2.0**-52)
    (array([ 75., 379.]), array([0., 0.]))
    """
    position = np.float64(time) / dt
    step = np.floor(position * (1 + 2 * eps))
    return step, np.maximum(position - step, 0.0)


def rounding(times: Reals) -> float:
    """The rounding of the type that times have, as `place_of` takes it."""
    return float(np.finfo(times.dtype).eps)


def steps_of(times: Reals, dt: float) -> npt.NDArray[np.float64]:
    """The step that each time (ms) falls into; whole, though as floats, for a time may be any number."""
    found: npt.NDArray[np.float64] = place_of(times, dt, rounding(times))[0]
    return found


def make_scheme(config: LearnerConfig, dtype: npt.DTypeLike) -> Scheme:
    """The scheme of `config`, whose duration must be set, in precision `dtype`.

    The readout averages leaky-integrator outputs over the sample of length T with weight exp(-t/T), which
    is linear in the spikes: a spike at t counts K(t) = (1/T) integral_t^T exp(-u/T) kappa(u - t) du.
    """
    real: Any = np.dtype(dtype).type
    steps, dt = config.steps, config.dt
    duration = steps * dt
    tau_m, tau_s = config.readout_taus
    scale, c_m, c_s = _readout_constants(config)
    out_m, out_s = readout_tails(config, steps)
    return Scheme(
        steps=steps,
        zero=real(0),
        one=real(1),
        dt=real(dt),
        threshold=real(config.threshold),
        decay_m=real(np.exp(-dt / config.tau_mem)),
        decay_s=real(np.exp(-dt / config.tau_syn)),
        rate_m=real(1 / config.tau_mem),
        rate_s=real(1 / config.tau_syn),
        gain=real(gain(config.tau_mem, config.tau_syn)),
        x_t=real(dt / duration),
        x_m=real(dt / tau_m),
        x_s=real(dt / tau_s),
        out_t=(scale * (c_m - c_s) * np.exp(-(np.arange(steps) * dt) / duration)).astype(dtype),
        out_m=out_m.astype(dtype),
        out_s=out_s.astype(dtype),
    )


def _readout_constants(config: LearnerConfig) -> tuple[float, float, float]:
    """The scale of the readout's kernel, and the time constants (ms) of its two parts as they fade."""
    duration = config.steps * config.dt
    tau_m, tau_s = config.readout_taus
    return gain(tau_m, tau_s) / duration, 1 / (1 / duration + 1 / tau_m), 1 / (1 / duration + 1 / tau_s)


def readout_tails(config: LearnerConfig, end: int) -> tuple[Reals, Reals]:
    """What the readout hears after step `end` of a spike at the start of each step, in two parts [steps].

    Both are to be read for steps before `end` only. At the end of the sample they are what the kernel K lacks
    for the sample not going on; elsewhere, what it hears after the end of a window.
    """
    duration, stop = config.steps * config.dt, end * config.dt
    scale, c_m, c_s = _readout_constants(config)
    tau_m, tau_s = config.readout_taus
    left = np.maximum(stop - np.arange(config.steps) * config.dt, 0.0)
    faded = -(stop / duration)
    return (scale * c_m * np.exp(faded - left / tau_m), scale * c_s * np.exp(faded - left / tau_s))


def window_borders(config: LearnerConfig) -> npt.NDArray[np.int64]:
    """The steps at which the readout's windows begin, and where the last one ends [W + 1]."""
    return np.arange(config.readout_windows + 1) * config.steps // config.readout_windows


def mean_readout(config: LearnerConfig) -> float:
    """Mean over the sample of the readout's kernel K(t): what a spike at a random time adds to a feature."""
    scheme = make_scheme(config, np.float64)
    half = 0.5
    kernel = (
        scheme.out_t * np.exp(-half * scheme.x_t)
        - scheme.out_m * np.exp(half * scheme.x_m)
        + scheme.out_s * np.exp(half * scheme.x_s)
    )
    return float(kernel.mean())
