"""The kernels as one differentiable torch operation."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.config import LearnerConfig
from model.kernels.cpu.backward import Sums, run_pairs_back
from model.kernels.cpu.events import Events
from model.kernels.cpu.forward import run_pairs
from model.kernels.cpu.problem import Problem, make_problem
from model.kernels.cpu.synapses import Synapses

CHUNK = 4
"""Pairs (network, sample) in a call of the forward kernel: few, so that threads finish together."""


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
        weights = _array(w_in)
        by_input = None if input_delays is None else _array(input_delays)
        recurrent = (_array(w_rec), _array(delays), by_input, mask.numpy())
        problem = make_problem(weights, *recurrent, events, sample, config)
        features = np.empty((sample.size, weights.shape[2]), weights.dtype)
        counts = np.empty_like(features)
        chunks = [(a, min(a + CHUNK, sample.size)) for a in range(0, sample.size, CHUNK)]
        found = _on_threads(lambda chunk: run_pairs(*chunk, problem, features, counts), chunks, threads)
        ctx.problem, ctx.config, ctx.threads = problem, config, threads
        ctx.spikes = [(*chunk, *spikes) for chunk, spikes in zip(chunks, found, strict=True)]
        shape = (n_networks, n_samples, weights.shape[2])
        return torch.from_numpy(features).view(shape), torch.from_numpy(counts).view(shape)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        problem: Problem = ctx.problem
        n_networks, _, n = problem.w_in.shape
        by_output = [grad.contiguous().numpy().reshape(-1, n) for grad in grads]

        def run_share(share: list[Any]) -> Sums:
            sums = _make_sums(problem)
            for first, last, begin, spikes in share:
                run_pairs_back(first, last, problem, begin, spikes, *by_output, sums)
            return sums

        shares = _shares(ctx.spikes, ctx.threads)
        parts = _on_threads(run_share, shares, ctx.threads)
        # Summed in the order of the shares, so that the result does not depend on which thread was first.
        total = Sums(*(sum(part[1:], start=part[0]) for part in zip(*parts, strict=True)))
        grad_in, grad_in_delays = total.w_in, None
        inputs, synapses = problem.inputs, problem.synapses
        if inputs.slots:
            shape = problem.w_in.shape
            grad_in, grad_in_delays = _per_synapse(inputs, total.inputs_m, total.inputs_s, shape, ctx.config)
        square = (n_networks, n, n)
        grad_rec, grad_delays = _per_synapse(synapses, total.synapses_m, total.synapses_s, square, ctx.config)
        found = (grad_in, grad_rec, grad_delays, grad_in_delays)
        return (*(None if one is None else torch.from_numpy(one) for one in found), *[None] * 5)


def _array(values: Tensor) -> Any:
    return values.detach().contiguous().numpy()


def _make_sums(problem: Problem) -> Sums:
    inputs, synapses = problem.inputs.beta, problem.synapses.beta
    return Sums(
        np.zeros_like(problem.w_in), *(np.zeros_like(a) for a in (inputs, inputs, synapses, synapses))
    )


def _per_synapse(
    synapses: Synapses, sum_m: Any, sum_s: Any, shape: Sequence[int], config: LearnerConfig
) -> tuple[Any, Any]:
    """dL/dw and dL/dd, each of `shape`."""
    by_weight, by_delay = np.zeros((2, math.prod(shape)), sum_m.dtype)
    sum_m, sum_s = sum_m[synapses.place], sum_s[synapses.place]
    weight_m, weight_s = synapses.weight_m[synapses.place], synapses.weight_s[synapses.place]
    by_weight[synapses.entry] = synapses.unit_m * sum_m + synapses.unit_s * sum_s
    rate_m, rate_s = sum_m.dtype.type(1 / config.tau_mem), sum_m.dtype.type(1 / config.tau_syn)
    by_delay[synapses.entry] = weight_m * sum_m * rate_m + weight_s * sum_s * rate_s
    return by_weight.reshape(shape), by_delay.reshape(shape)


def _shares(chunks: list[Any], threads: int) -> list[list[Any]]:
    """Runs of `chunks`, one a thread, with about as many spikes each."""
    spikes = np.cumsum([begin[-1] for _, _, begin, _ in chunks])
    borders = np.searchsorted(spikes, spikes[-1:] * np.arange(1, threads) / threads).tolist()
    return [chunks[a:b] for a, b in zip([0, *borders], [*borders, len(chunks)], strict=True)]


def _on_threads(function: Callable[[Any], Any], tasks: Sequence[Any], threads: int) -> list[Any]:
    """Results of the tasks, in their order."""
    if threads == 1:
        return [function(task) for task in tasks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, tasks))
