"""The CPU's kernels as a backend: threads share the pairs of a network and a sample."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.kernels.backend import Backend, Gradients, HiddenSpikes, Run
from model.kernels.connections import Connections
from model.kernels.cpu.adaptation import Adaptation
from model.kernels.cpu.backward import Sums, run_pairs_back
from model.kernels.cpu.events import gather
from model.kernels.cpu.forward import run_pairs
from model.kernels.cpu.problem import Problem, make_problem
from model.kernels.cpu.spikes import Spikes
from model.kernels.cpu.synapses import Synapses
from model.kernels.cpu.taus import by_taus
from model.kernels.cpu.windows import Windows, make_windows, read_windows, slopes_by_windows

CHUNK = 4
"""Pairs (network, sample) in a call of the forward kernel: few, so that threads finish together."""


class Chunk(NamedTuple):
    """Pairs `first` to `last` of a problem, and what they spiked."""

    first: int
    last: int
    begin: npt.NDArray[np.int64]  # [last - first + 1]: where each pair's spikes begin
    spikes: Spikes


class Trace(NamedTuple):
    """A run as the backward pass needs it: what was simulated, and all of its spikes."""

    problem: Problem
    chunks: list[Chunk]
    windows: Windows | None
    config: LearnerConfig
    dtype: torch.dtype


class CpuBackend(Backend):
    """The kernels that numba compiles for the processor at hand, in float32 or float64."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def _run(
        self,
        connections: Connections,
        data: SpikeDataset,
        samples: npt.NDArray[np.int64],
        config: LearnerConfig,
        dropped: Tensor | None,
    ) -> Run:
        """Run each pair of a network and a sample forwards."""
        problem = _problem(connections, data, samples, config, dropped)
        pairs, n = samples.size, problem.neurons
        features = np.empty((pairs, n), problem.w_in.dtype)
        counts = np.empty_like(features)
        borders = [(a, min(a + CHUNK, pairs)) for a in range(0, pairs, CHUNK)]
        found = _on_threads(lambda ends: run_pairs(*ends, problem, features, counts), borders, self.threads)
        chunks = [Chunk(*ends, *spikes) for ends, spikes in zip(borders, found, strict=True)]
        windows = make_windows(config, features.dtype)
        if windows is not None:
            features = np.empty((pairs, config.readout_windows, n), features.dtype)
            _on_threads(
                lambda chunk: read_windows(*chunk, windows, problem.scheme, features), chunks, self.threads
            )
        return Run(
            torch.from_numpy(features).view(*samples.shape, config.readout_windows * n),
            torch.from_numpy(counts).view(*samples.shape, n),
            Trace(problem, chunks, windows, config, connections.w_in.dtype),
        )

    def gradients(self, trace: Trace, by_features: Tensor, by_counts: Tensor) -> Gradients:
        """Run the adjoint of each pair, from its last spike to its first."""
        problem, chunks, windows, config, dtype = trace
        n_networks, n = len(problem.w_in), problem.neurons
        by_feature = _by_output("by_features", by_features, problem, config.readout_windows * n, dtype)
        by_count = _by_output("by_counts", by_counts, problem, n, dtype)

        def run_share(share: list[Chunk]) -> Sums:
            sums, by_whole = _make_sums(problem), by_feature
            for first, last, begin, spikes in share:
                if windows is not None:
                    # All that a spike's time does to the readout becomes one number, of which all is wanted.
                    by_window, by_whole = by_feature.reshape(len(by_count), -1, n), np.ones_like(by_count)
                    slopes = slopes_by_windows(first, last, begin, spikes, windows, problem.scheme, by_window)
                    spikes = spikes._replace(slope=slopes)
                run_pairs_back(first, last, problem, begin, spikes, by_whole, by_count, sums)
            return sums

        parts = _on_threads(run_share, _shares(chunks, self.threads), self.threads)
        # Summed in the order of the shares, so that the result does not depend on which thread was first.
        total = Sums(*(sum(part[1:], start=part[0]) for part in zip(*parts, strict=True)))
        by_input, by_input_delay = total.w_in, None
        inputs, synapses = problem.inputs, problem.synapses
        if inputs.slots:
            shape = problem.w_in.shape
            by_input, by_input_delay = _per_synapse(inputs, total.inputs_m, total.inputs_s, shape, config)
        square = (n_networks, n, n)
        by_weight, by_delay = _per_synapse(synapses, total.synapses_m, total.synapses_s, square, config)
        return Gradients(
            torch.from_numpy(by_input),
            torch.from_numpy(by_weight),
            torch.from_numpy(by_delay),
            None if by_input_delay is None else torch.from_numpy(by_input_delay),
            *_by_adaptation(problem.adaptation, total),
            *_by_taus(problem, total, by_input, config),
        )

    def hidden_spikes(self, trace: Trace) -> HiddenSpikes:
        """Put the spikes of all pairs together."""
        chunks, config = trace.chunks, trace.config
        counts = [np.zeros(1, np.int64), *(np.diff(one.begin) for one in chunks)]
        steps, phases, neurons = (
            np.concatenate([np.empty(0, dtype), *(getattr(one.spikes, name) for one in chunks)])
            for name, dtype in (("step", np.int32), ("phase", np.float64), ("neuron", np.int32))
        )
        return HiddenSpikes(np.cumsum(np.concatenate(counts)), (steps + phases) * config.dt, neurons)


def _problem(
    connections: Connections,
    data: SpikeDataset,
    samples: npt.NDArray[np.int64],
    config: LearnerConfig,
    dropped: Tensor | None,
) -> Problem:
    """What is to be simulated, laid out for the kernels; networks that see one sample share its events."""
    w_in, w_rec, delays, mask, input_delays, strength, tau, tau_mem, tau_syn = connections
    weights = _array(w_in)
    unique, place = np.unique(samples, return_inverse=True)
    return make_problem(
        weights,
        _array(w_rec),
        _array(delays),
        None if input_delays is None else _array(input_delays),
        _array(mask),
        None if strength is None or tau is None else (_array(strength), _array(tau)),
        None if tau_mem is None or tau_syn is None else (_array(tau_mem), _array(tau_syn)),
        gather(data, unique, config, weights.dtype),
        place.reshape(samples.shape),
        config,
        None if dropped is None else _array(dropped),
    )


def _by_output(name: str, grad: Tensor, problem: Problem, count: int, dtype: torch.dtype) -> Any:
    """Derivatives [P, count], checked: of each pair by what comes out of it."""
    networks, pairs = len(problem.w_in), len(problem.network)
    shape = (networks, pairs // networks, count)
    if grad.shape != shape or grad.dtype != dtype:
        got = f"{list(grad.shape)} of {grad.dtype}"
        raise ValueError(f"gradients: `{name}`: got {got}, expected {list(shape)} of {dtype}")
    return grad.contiguous().numpy().reshape(pairs, count)


def _array(values: Tensor) -> Any:
    return values.detach().contiguous().numpy()


def _make_sums(problem: Problem) -> Sums:
    inputs, synapses, none = problem.inputs.beta, problem.synapses.beta, np.empty(0, problem.w_in.dtype)
    nobody = none.reshape(0, 0)
    strength = nobody if problem.adaptation is None else problem.adaptation.strength
    each = nobody if problem.taus is None else problem.taus.x_m
    rests = (none,) * 4 if problem.taus is None else (inputs, inputs, synapses, synapses)
    like = (problem.w_in, inputs, inputs, synapses, synapses, strength, strength, *rests, each, each)
    return Sums(*(np.zeros_like(array) for array in like))


def _per_synapse(
    synapses: Synapses, sum_m: Any, sum_s: Any, shape: Sequence[int], config: LearnerConfig
) -> tuple[Any, Any]:
    """dL/dw and dL/dd, each of `shape`."""
    by_weight, by_delay = np.zeros((2, math.prod(shape)), sum_m.dtype)
    sum_m, sum_s = sum_m[synapses.place], sum_s[synapses.place]
    weight_m, weight_s = synapses.weight_m[synapses.place], synapses.weight_s[synapses.place]
    by_weight[synapses.entry] = synapses.unit_m * sum_m + synapses.unit_s * sum_s
    rate_m: Any = sum_m.dtype.type(1 / config.tau_mem)
    rate_s: Any = sum_m.dtype.type(1 / config.tau_syn)
    if synapses.rates is not None:
        rate_m, rate_s = (x[synapses.place] / sum_m.dtype.type(config.dt) for x in synapses.rates)
    by_delay[synapses.entry] = weight_m * sum_m * rate_m + weight_s * sum_s * rate_s
    return by_weight.reshape(shape), by_delay.reshape(shape)


def _by_adaptation(adaptation: Adaptation | None, total: Sums) -> tuple[Tensor | None, Tensor | None]:
    """dL/d(strength) and dL/d(tau), each [R, N]; None of neurons that do not adapt."""
    if adaptation is None:
        return None, None
    return torch.from_numpy(total.strength), torch.from_numpy(-total.rate * adaptation.rate**2)


def _by_taus(
    problem: Problem, total: Sums, by_input: Any, config: LearnerConfig
) -> tuple[Tensor | None, Tensor | None]:
    """dL/d(tau_mem) and dL/d(tau_syn), each [R, N]; None of neurons that share theirs.

    Potentials depend on the gain g as on all of a neuron's weights together: dL/dg is sum w dL/dw / g.
    """
    taus, inputs, synapses = problem.taus, problem.inputs, problem.synapses
    if taus is None:
        return None, None
    by_gain = np.zeros_like(taus.gain)
    hearing = problem.w_in.shape[2]
    by_gain[:, :hearing] = (problem.w_in * by_input).sum(1)
    n, by_x_m, by_x_s = problem.neurons, total.x_m, total.x_s
    by_weight = total.synapses_m + total.synapses_s
    by_gain += _per_target(synapses, synapses.weight_m * by_weight, n, n)
    by_x_m += _per_target(synapses, synapses.weight_m * total.synapses_rest_m, n, n)
    by_x_s += _per_target(synapses, synapses.weight_s * total.synapses_rest_s, n, n)
    if inputs.slots:
        channels = problem.w_in.shape[1]
        by_x_m[:, :hearing] += _per_target(inputs, inputs.weight_m * total.inputs_rest_m, channels, hearing)
        by_x_s[:, :hearing] += _per_target(inputs, inputs.weight_s * total.inputs_rest_s, channels, hearing)
    by_tau_mem, by_tau_syn = by_taus(taus, by_x_m, by_x_s, by_gain / taus.gain, config.dt)
    return torch.from_numpy(by_tau_mem), torch.from_numpy(by_tau_syn)


def _per_target(synapses: Synapses, values: Any, sources: int, targets: int) -> Any:
    """The sum of `values` [Q] over the synapses onto each target [R, M], of P `sources` and M `targets`."""
    network, target = synapses.entry // (sources * targets), synapses.entry % targets
    networks = len(synapses.targets) // sources
    total = np.bincount(network * targets + target, values[synapses.place], networks * targets)
    return total.reshape(networks, targets).astype(values.dtype)


def _shares(chunks: list[Chunk], threads: int) -> list[list[Chunk]]:
    """Runs of `chunks`, one a thread, with about as many spikes each."""
    spikes = np.cumsum([chunk.begin[-1] for chunk in chunks])
    borders = np.searchsorted(spikes, spikes[-1:] * np.arange(1, threads) / threads).tolist()
    return [chunks[a:b] for a, b in zip([0, *borders], [*borders, len(chunks)], strict=True)]


def _on_threads(function: Callable[[Any], Any], tasks: Sequence[Any], threads: int) -> list[Any]:
    """Results of the tasks, in their order."""
    if threads == 1:
        return [function(task) for task in tasks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, tasks))
