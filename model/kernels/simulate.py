"""The kernels as one differentiable torch operation."""

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
from model.kernels.synapses import Synapses, lay_out


def simulate(
    w_in: Tensor,
    w_rec: Tensor,
    delays: Tensor,
    mask: Tensor,
    events: Events,
    sample: npt.NDArray[np.int64],
    config: LearnerConfig,
    threads: int = 1,
) -> tuple[Tensor, Tensor]:
    """Run R networks on B samples each; differentiable by `w_in`, `w_rec` and `delays`.

    Args:
        w_in: input weights [R, C, N].
        w_rec: recurrent weights [R, N, N], presynaptic neuron first.
        delays: recurrent delays [R, N, N] (ms), at least one step where a synapse exists.
        mask: which recurrent synapses exist [R, N, N] (bool); one that does learns also at w = 0.
        events: the input spikes of the samples in the call.
        sample: which sample of `events` network r sees as its b-th [R, B].
        config: time constants, step and duration.
        threads: threads that share the pairs (network, sample). Their number changes nothing beyond rounding.

    Returns:
        Features [R, B, N], the readout's time average of each neuron's output, and spike counts [R, B, N]
        (int32).
    """
    features, counts = _Simulation.apply(  # type: ignore[no-untyped-call]
        w_in, w_rec, delays, mask, events, sample, config, threads
    )
    return features, counts


class _Simulation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        w_in: Tensor,
        w_rec: Tensor,
        delays: Tensor,
        mask: Tensor,
        events: Events,
        sample: npt.NDArray[np.int64],
        config: LearnerConfig,
        threads: int,
    ) -> tuple[Tensor, Tensor]:
        n_networks, n_samples = sample.shape
        network = np.repeat(np.arange(n_networks), n_samples)
        weights = w_in.detach().contiguous().numpy()
        synapses = lay_out(
            w_rec.detach().contiguous().numpy(), delays.detach().contiguous().numpy(), mask.numpy(), config
        )
        scheme = make_scheme(config, weights.dtype)
        features = np.empty((network.size, weights.shape[2]), weights.dtype)
        counts = np.empty((network.size, weights.shape[2]), np.int32)
        inputs = (network, sample.reshape(-1), events, weights, synapses, scheme)
        shares = _shares(network.size, threads)
        spikes = _on_threads([(run_pairs, (a, b, *inputs, features, counts)) for a, b in shares])
        ctx.inputs, ctx.shares, ctx.spikes, ctx.config = inputs, shares, spikes, config
        shape = (n_networks, n_samples, weights.shape[2])
        counted = torch.from_numpy(counts).view(shape)
        ctx.mark_non_differentiable(counted)
        return torch.from_numpy(features).view(shape), counted

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        weights, synapses = ctx.inputs[3], ctx.inputs[4]
        grad_features = grads[0].contiguous().numpy().reshape(-1, weights.shape[2])
        parts = _on_threads(
            [
                (run_pairs_back, (a, b, *ctx.inputs, spikes, grad_features))
                for (a, b), spikes in zip(ctx.shares, ctx.spikes, strict=True)
            ]
        )
        # Summed in the order of the shares, so that the result does not depend on which thread was first.
        grad_in, sum_m, sum_s = (sum(part[1:], start=part[0]) for part in zip(*parts, strict=True))
        grad_rec, grad_delays = _per_synapse(synapses, sum_m, sum_s, weights.shape, ctx.config)
        return (torch.from_numpy(grad_in), grad_rec, grad_delays, *[None] * 5)


def _per_synapse(
    synapses: Synapses, sum_m: Any, sum_s: Any, shape: Sequence[int], config: LearnerConfig
) -> tuple[Tensor, Tensor]:
    n_networks, _, n = shape
    grad_rec, grad_delays = np.zeros((2, n_networks * n * n), sum_m.dtype)
    grad_rec[synapses.place] = synapses.unit_m * sum_m + synapses.unit_s * sum_s
    rate_m, rate_s = sum_m.dtype.type(1 / config.tau_mem), sum_m.dtype.type(1 / config.tau_syn)
    grad_delays[synapses.place] = synapses.weight_m * sum_m * rate_m + synapses.weight_s * sum_s * rate_s
    square = (n_networks, n, n)
    return torch.from_numpy(grad_rec).view(square), torch.from_numpy(grad_delays).view(square)


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
