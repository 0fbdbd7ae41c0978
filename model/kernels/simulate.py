"""The kernels as one differentiable torch operation."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.config import LearnerConfig
from model.kernels.backward import run_pairs_back
from model.kernels.events import Events
from model.kernels.forward import run_pairs
from model.kernels.scheme import make_scheme
from model.kernels.synapses import Synapses, lay_out, no_synapses


def simulate(
    w_in: Tensor,
    w_rec: Tensor,
    delays: Tensor,
    mask: Tensor,
    events: Events,
    sample: npt.NDArray[np.int64],
    config: LearnerConfig,
    threads: int = 1,
    input_delays: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run R networks on B samples each; differentiable by weights and delays.

    Args:
        w_in: input weights [R, C, N].
        w_rec: recurrent weights [R, N, N], presynaptic neuron first.
        delays: recurrent delays [R, N, N] (ms), at least one step where a synapse exists.
        mask: which recurrent synapses exist [R, N, N] (bool); one that does learns also at w = 0.
        events: the input spikes of the samples in the call.
        sample: which sample of `events` network r sees as its b-th [R, B].
        config: time constants, step and duration.
        threads: threads that share the pairs (network, sample). Their number changes nothing beyond rounding.
        input_delays: delays of the inputs [R, C, N] (ms), at least 0; None: they arrive at once.

    Returns:
        Features [R, B, N], the readout's time average of each neuron's output, and spike counts [R, B, N].
        Features are differentiated exactly, counts by a pseudo-derivative (see `run_pairs_back`).
    """
    features, counts = _Simulation.apply(  # type: ignore[no-untyped-call]
        w_in, w_rec, delays, input_delays, mask, events, sample, config, threads
    )
    return features, counts


class _Simulation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        w_in: Tensor,
        w_rec: Tensor,
        delays: Tensor,
        input_delays: Tensor | None,
        mask: Tensor,
        events: Events,
        sample: npt.NDArray[np.int64],
        config: LearnerConfig,
        threads: int,
    ) -> tuple[Tensor, Tensor]:
        n_networks, n_samples = sample.shape
        network = np.repeat(np.arange(n_networks), n_samples)
        weights = _array(w_in)
        synapses = lay_out(_array(w_rec), _array(delays), mask.numpy(), config, least=1)
        inputs = no_synapses(weights.dtype)
        if input_delays is not None:
            inputs = lay_out(weights, _array(input_delays), None, config, least=0)
        scheme = make_scheme(config, weights.dtype)
        features = np.empty((network.size, weights.shape[2]), weights.dtype)
        counts = np.empty_like(features)
        given = (network, sample.reshape(-1), events, weights, inputs, synapses, scheme)
        shares = _shares(network.size, threads)
        spikes = _on_threads([(run_pairs, (a, b, *given, features, counts)) for a, b in shares])
        ctx.given, ctx.shares, ctx.spikes, ctx.config = given, shares, spikes, config
        shape = (n_networks, n_samples, weights.shape[2])
        return torch.from_numpy(features).view(shape), torch.from_numpy(counts).view(shape)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        _, _, _, weights, inputs, synapses, _ = ctx.given
        n_networks, _, n = weights.shape
        by_output = [grad.contiguous().numpy().reshape(-1, n) for grad in grads]
        parts = _on_threads(
            [
                (run_pairs_back, (a, b, *ctx.given, spikes, *by_output))
                for (a, b), spikes in zip(ctx.shares, ctx.spikes, strict=True)
            ]
        )
        # Summed in the order of the shares, so that the result does not depend on which thread was first.
        grad_in, in_m, in_s, sum_m, sum_s = (sum(p[1:], start=p[0]) for p in zip(*parts, strict=True))
        grad_in_delays = None
        if inputs.slots:
            grad_in, grad_in_delays = _per_synapse(inputs, in_m, in_s, weights.shape, ctx.config)
        square = (n_networks, n, n)
        grad_rec, grad_delays = _per_synapse(synapses, sum_m, sum_s, square, ctx.config)
        found = (grad_in, grad_rec, grad_delays, grad_in_delays)
        return (*(None if one is None else torch.from_numpy(one) for one in found), *[None] * 5)


def _array(values: Tensor) -> Any:
    return values.detach().contiguous().numpy()


def _per_synapse(
    synapses: Synapses, sum_m: Any, sum_s: Any, shape: Sequence[int], config: LearnerConfig
) -> tuple[Any, Any]:
    """dL/dw and dL/dd, each of `shape`."""
    by_weight, by_delay = np.zeros((2, math.prod(shape)), sum_m.dtype)
    by_weight[synapses.place] = synapses.unit_m * sum_m + synapses.unit_s * sum_s
    rate_m, rate_s = sum_m.dtype.type(1 / config.tau_mem), sum_m.dtype.type(1 / config.tau_syn)
    by_delay[synapses.place] = synapses.weight_m * sum_m * rate_m + synapses.weight_s * sum_s * rate_s
    return by_weight.reshape(shape), by_delay.reshape(shape)


def _shares(n_pairs: int, threads: int) -> list[tuple[int, int]]:
    borders = np.linspace(0, n_pairs, max(1, min(threads, n_pairs)) + 1).round().astype(int).tolist()
    return list(pairwise(borders))


def _on_threads(calls: list[tuple[Any, tuple[Any, ...]]]) -> list[Any]:
    if len(calls) == 1:
        function, arguments = calls[0]
        return [function(*arguments)]
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(function, *arguments) for function, arguments in calls]
        return [future.result() for future in futures]
