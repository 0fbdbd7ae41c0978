"""The network in continuous time, from event to event: what the scheme converges to as dt -> 0.

Between events the membrane, less what spikes have raised its threshold by, is a sum of exponentials. Such a
sum has no more zeros than terms less one, and they lie between those of a sum with a term less (Rolle), so a
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


Terms = list[tuple[float, float]]
"""A sum over (c, r) of c exp(-r u)."""


def value(terms: Terms, u: float) -> float:
    return sum(c * math.exp(-r * u) for c, r in terms)


def pieces(terms: Terms, span: float) -> list[float]:
    """0, `span`, and what lies between that cuts the sum into pieces that only rise or only fall.

    Its derivative has the zeros of the same sum times exp(u r), r one of its rates: a sum with a term less
    once it is differentiated again.
    """
    slope = [(-c * r, r) for c, r in terms if c * r != 0]
    if len(slope) < 2:
        return [0.0, span]
    first = slope[0][1]
    shifted = [(c, r - first) for c, r in slope]
    ends = pieces(shifted, span)
    return [
        0.0,
        *(u for a, b in pairwise(ends) if (u := zero(shifted, a, b)) is not None and 0 < u < span),
        span,
    ]


def zero(terms: Terms, begin: float, end: float) -> float | None:
    """Where a sum that only rises or only falls from `begin` to `end` is 0."""
    if value(terms, begin) * value(terms, end) >= 0:
        return None
    return float(brentq(lambda u: value(terms, u), begin, end, xtol=1e-14, rtol=1e-15))


def first_crossing(
    m: float,
    s: float,
    span: float,
    config: LearnerConfig,
    raised: float = 0.0,
    tau: float = 1.0,
    taus: tuple[float, float] | None = None,
) -> float:
    """When a potential that is below its threshold first reaches it (ms); infinite if not within `span`.

    The potential is V(u) = m exp(-u / tau_mem) - s exp(-u / tau_syn), with the time constants of `config` or
    `taus`, its threshold that of `config` and raised exp(-u / tau).
    """
    tau_mem, tau_syn = (config.tau_mem, config.tau_syn) if taus is None else taus
    terms = [(m, 1 / tau_mem), (-s, 1 / tau_syn), (-raised, 1 / tau), (-config.threshold, 0.0)]
    for begin, end in pairwise(pieces(terms, span)):
        if value(terms, begin) < 0 <= value(terms, end):
            found = zero(terms, begin, end)
            return end if found is None else found
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
    adaptation: Array | None = None,
    tau_adaptation: Array | None = None,
    tau_mem: Array | None = None,
    tau_syn: Array | None = None,
) -> list[list[float]]:
    """Spike times (ms) of each of N neurons of one network on one sample."""
    n, end = len(w_rec), config.steps * config.dt
    mem = np.full(n, config.tau_mem) if tau_mem is None else tau_mem
    syn = np.full(n, config.tau_syn) if tau_syn is None else tau_syn
    g = syn / (mem - syn)
    late = np.zeros_like(w_in) if input_delays is None else input_delays
    arrivals = [
        (float(time + late[channel, j]), j, float(w_in[channel, j]))
        for time, channel in zip(times, channels, strict=True)
        for j in range(w_in.shape[1])
    ]
    heapq.heapify(arrivals)
    m, s, now = [0.0] * n, [0.0] * n, 0.0
    strength = np.zeros(n) if adaptation is None else adaptation
    tau = np.ones(n) if tau_adaptation is None else tau_adaptation
    raised = [0.0] * n  # the threshold of each neuron, by its own spikes
    spikes: list[list[float]] = [[] for _ in range(n)]
    while now < end:
        span = (arrivals[0][0] if arrivals and arrivals[0][0] < end else end) - now
        crossings = [
            first_crossing(m[j], s[j], span, config, raised[j], tau[j], (mem[j], syn[j])) for j in range(n)
        ]
        i = int(np.argmin(crossings))
        past = min(span, crossings[i])
        now += past
        m = [x * math.exp(-past / mem[j]) for j, x in enumerate(m)]
        s = [x * math.exp(-past / syn[j]) for j, x in enumerate(s)]
        raised = [x * math.exp(-past / tau[j]) for j, x in enumerate(raised)]
        if crossings[i] <= span:
            m[i] -= config.threshold
            raised[i] += strength[i]
            spikes[i].append(now)
            for j in np.flatnonzero(mask[i]).tolist():
                heapq.heappush(arrivals, (now + float(delays[i, j]), j, float(w_rec[i, j])))
        elif now < end:
            now, j, weight = heapq.heappop(arrivals)
            m[j] += g[j] * weight
            s[j] += g[j] * weight
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
    w_in, w_rec, delays, mask, *others = net.connections()
    w_in, w_rec, delays, mask = (values[replicate] for values in (w_in, w_rec, delays, mask))
    given = [None if values is None else values[replicate].numpy() for values in others]
    times, channels = data.times[sample], data.channels[sample]
    return spikes_of(
        w_in.numpy(), w_rec.numpy(), delays.numpy(), mask.numpy(), times, channels, net.config, *given
    )


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
