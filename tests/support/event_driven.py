"""The network in continuous time, from event to event: what the scheme converges to as dt -> 0.

Between events the membrane is a difference of two exponentials: its one extremum has a closed form, so a
crossing of threshold is bracketed and then found to rounding. Nothing here knows of steps.
"""

import heapq
import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq

from model import Cohort, SpikeDataset
from model.config import LearnerConfig

Array = npt.NDArray[Any]


def first_crossing(m: float, s: float, span: float, config: LearnerConfig) -> float:
    """When V(u) = m exp(-u / tau_mem) - s exp(-u / tau_syn), V(0) < threshold, first reaches threshold (ms).

    Infinite if not within `span`. An upward crossing lies before or after the only extremum, never both.
    """

    def excess(u: float) -> float:
        return m * math.exp(-u / config.tau_mem) - s * math.exp(-u / config.tau_syn) - config.threshold

    ends = [0.0, span]
    if m * s > 0:
        ratio = m * config.tau_syn / (s * config.tau_mem)
        extremum = math.log(ratio) / (1 / config.tau_mem - 1 / config.tau_syn)
        if 0 < extremum < span:
            ends.insert(1, extremum)
    for begin, end in pairwise(ends):
        if excess(begin) < 0 <= excess(end):
            return float(brentq(excess, begin, end, xtol=1e-14, rtol=1e-15))
    return math.inf


def spikes_of(
    w_in: Array,
    w_rec: Array,
    delays: Array,
    mask: Array,
    times: Array,
    channels: Array,
    config: LearnerConfig,
    input_delays: Array | None = None,
) -> list[list[float]]:
    """Spike times (ms) of each of N neurons of one network on one sample."""
    n, end = len(w_rec), config.steps * config.dt
    g = config.tau_syn / (config.tau_mem - config.tau_syn)
    late = np.zeros_like(w_in) if input_delays is None else input_delays
    arrivals = [
        (float(time + late[channel, j]), j, float(w_in[channel, j]))
        for time, channel in zip(times, channels, strict=True)
        for j in range(w_in.shape[1])
    ]
    heapq.heapify(arrivals)
    m, s, now = [0.0] * n, [0.0] * n, 0.0
    spikes: list[list[float]] = [[] for _ in range(n)]
    while now < end:
        span = (arrivals[0][0] if arrivals and arrivals[0][0] < end else end) - now
        crossings = [first_crossing(m[j], s[j], span, config) for j in range(n)]
        i = int(np.argmin(crossings))
        past = min(span, crossings[i])
        now += past
        m = [x * math.exp(-past / config.tau_mem) for x in m]
        s = [x * math.exp(-past / config.tau_syn) for x in s]
        if crossings[i] <= span:
            m[i] -= config.threshold
            spikes[i].append(now)
            for j in np.flatnonzero(mask[i]).tolist():
                heapq.heappush(arrivals, (now + float(delays[i, j]), j, float(w_rec[i, j])))
        elif now < end:
            now, j, weight = heapq.heappop(arrivals)
            m[j] += g * weight
            s[j] += g * weight
    return spikes


def readout(t: Array, config: LearnerConfig) -> Array:
    """K(t) = (1/T) integral_t^T exp(-u/T) kappa(u - t) du, kappa = g (exp(-v/tau_mem) - exp(-v/tau_syn))."""
    duration = config.steps * config.dt
    tau_m, tau_s = config.readout_taus

    def part(tau: float) -> Array:
        rate = 1 / duration + 1 / tau
        return np.asarray(-np.expm1(-rate * (duration - t)) / rate)

    gain = tau_s / (tau_m - tau_s) / duration
    return np.asarray(gain * np.exp(-t / duration) * (part(tau_m) - part(tau_s)))


@torch.no_grad()
def exact_spikes(net: Cohort, data: SpikeDataset, sample: int, replicate: int = 0) -> list[list[float]]:
    """Spike times (ms) of each neuron of one network of a cohort."""
    w_in, w_rec, delays, mask = (
        values[replicate].numpy() for values in (net.w_in, net.w_rec, net.delays(), net.mask)
    )
    times, channels, late = data.times[sample], data.channels[sample], net.input_delays()
    late_of = None if late is None else late[replicate].numpy()
    return spikes_of(w_in, w_rec, delays, mask, times, channels, net.config, late_of)


def exact_features(net: Cohort, data: SpikeDataset, samples: Any) -> Array:
    """Features [R, B, N] of a cohort."""
    rows = [
        [
            [readout(np.array(times), net.config).sum() for times in exact_spikes(net, data, b, r)]
            for b in samples[r]
        ]
        for r in range(net.replicates)
    ]
    return np.array(rows)
