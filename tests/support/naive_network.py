"""The scheme written down as naively as can be, one spike at a time, in plain PyTorch.

Shares no line with the kernels: no ring, no factored exponentials, arrivals kept in lists by step, the
readout's kernel by numerical quadrature. PyTorch differentiates it.
"""

import math
from collections import defaultdict
from typing import Any

import torch
from scipy.integrate import quad
from torch import Tensor

from model import Cohort, SpikeDataset
from model.config import LearnerConfig


def readout_by_quadrature(t: float, config: LearnerConfig, window: int | None = None) -> float:
    """What the readout hears of a spike at `t` in one of its windows; None: in the whole sample."""
    duration = config.steps * config.dt
    first, last = (0, config.readout_windows) if window is None else (window, window + 1)
    start, end = (math.floor(config.steps * w / config.readout_windows) * config.dt for w in (first, last))
    tau_m, tau_s = config.readout_taus
    g = tau_s / (tau_m - tau_s)

    def integrand(u: float) -> float:
        potential = g * (math.exp(-(u - t) / tau_m) - math.exp(-(u - t) / tau_s))
        return math.exp(-u / duration) * potential / duration

    return float(quad(integrand, max(t, start), end, epsabs=1e-13, epsrel=1e-11)[0]) if t < end else 0.0


class _Readout(torch.autograd.Function):
    """The readout's kernel at one time, by windows [W], with its derivative from two times beside it."""

    @staticmethod
    def forward(ctx: Any, t: Tensor, config: LearnerConfig) -> Tensor:
        ctx.t, ctx.config = t.item(), config
        windows = range(config.readout_windows)
        return torch.tensor([readout_by_quadrature(t.item(), config, w) for w in windows], dtype=t.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        h = 1e-4
        t, config = ctx.t, ctx.config
        slopes = [
            (readout_by_quadrature(t + h, config, w) - readout_by_quadrature(t - h, config, w)) / (2 * h)
            for w in range(config.readout_windows)
        ]
        return (grads[0] * torch.tensor(slopes, dtype=grads[0].dtype)).sum(), None


def features_of(
    w_in: Tensor,
    w_rec: Tensor,
    delays: Tensor,
    mask: Tensor,
    times: Any,
    channels: Any,
    config: LearnerConfig,
    input_delays: Tensor | None = None,
    adaptation: Tensor | None = None,
    tau_adaptation: Tensor | None = None,
    tau_mem: Tensor | None = None,
    tau_syn: Tensor | None = None,
    dropped: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Features [W N], window by window, and spike counts [N] of one network on one sample.

    Neurons in `dropped` [N] reach no other neuron.
    The threshold of an adaptive neuron is a sum over all of its spikes so far, each with its own time.
    A count is differentiated as if a spike that comes later by tau_mem were one spike less.
    """
    dt, n = config.dt, w_rec.shape[0]
    mem = torch.full((n,), config.tau_mem, dtype=torch.float64) if tau_mem is None else tau_mem
    syn = torch.full((n,), config.tau_syn, dtype=torch.float64) if tau_syn is None else tau_syn
    g = syn / (mem - syn)
    arrivals = defaultdict(list)  # step -> (target, weight, time)
    for time, channel in zip(times.tolist(), channels.tolist(), strict=True):
        for j in range(w_in.shape[1]):  # the neurons that hear inputs, the first ones
            arrival = torch.tensor(time, dtype=torch.float64)
            if input_delays is not None:
                arrival = arrival + input_delays[channel, j]
            arrivals[math.floor(arrival.item() / dt)].append((j, w_in[channel, j], arrival))
    m, s = [torch.zeros((), dtype=torch.float64)] * n, [torch.zeros((), dtype=torch.float64)] * n
    features = [torch.zeros(config.readout_windows, dtype=torch.float64)] * n
    counts = [torch.zeros((), dtype=torch.float64)] * n
    spikes: list[list[Tensor]] = [[] for _ in range(n)]

    def threshold(j: int, time: float) -> Tensor | float:
        if adaptation is None or tau_adaptation is None:
            return config.threshold
        past = [torch.exp(-(time - spike) / tau_adaptation[j]) for spike in spikes[j]]
        return config.threshold + adaptation[j] * sum(past)

    for k in range(config.steps):
        before = [m[j] - s[j] - threshold(j, k * dt) for j in range(n)]
        m = [x * torch.exp(-dt / mem[j]) for j, x in enumerate(m)]
        s = [x * torch.exp(-dt / syn[j]) for j, x in enumerate(s)]
        for j, weight, time in arrivals[k]:
            left = (k + 1) * dt - time
            m[j] = m[j] + g[j] * weight * torch.exp(-left / mem[j])
            s[j] = s[j] + g[j] * weight * torch.exp(-left / syn[j])
        for i in range(n):
            after = m[i] - s[i] - threshold(i, (k + 1) * dt)
            if after < 0:
                continue
            phase = torch.zeros((), dtype=torch.float64)
            if before[i] < 0:
                phase = -before[i] / (after - before[i])
            m[i] = m[i] - config.threshold * torch.exp(-(1 - phase) * dt / mem[i])
            time = (k + phase) * dt
            spikes[i].append(time)
            counts[i] = counts[i] + 1 - (time - time.detach()) / config.tau_mem
            features[i] = features[i] + _Readout.apply(time, config)  # type: ignore[no-untyped-call]
            for j in range(n):
                if mask[i, j] and not (dropped is not None and dropped[i]):
                    arrival = time + delays[i, j]
                    arrivals[math.floor(arrival.item() / dt)].append((j, w_rec[i, j], arrival))
    return torch.stack(features, 1).flatten(), torch.stack(counts)


def reference_features(
    net: Cohort, data: SpikeDataset, samples: Any, dropped: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Features [R, B, W N] and counts [R, B, N] of a cohort, by the naive scheme."""
    connections = net.connections()
    delays, input_delays = connections.delays, connections.input_delays
    own = {
        name: getattr(connections, name) for name in ("adaptation", "tau_adaptation", "tau_mem", "tau_syn")
    }
    rows = [
        [
            features_of(
                net.w_in[r],
                net.w_rec[r],
                delays[r],
                net.mask[r],
                data.times[b],
                data.channels[b],
                net.config,
                None if input_delays is None else input_delays[r],
                **{name: None if values is None else values[r] for name, values in own.items()},
                dropped=None if dropped is None else dropped[r, place],
            )
            for place, b in enumerate(samples[r])
        ]
        for r in range(net.replicates)
    ]
    features, counts = (torch.stack([torch.stack([one[k] for one in row]) for row in rows]) for k in (0, 1))
    return features, counts
