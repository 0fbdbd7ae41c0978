"""The kernels as one differentiable torch operation, whatever the device."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.kernels.backend import Backend, Connections, HiddenSpikes
from model.kernels.cpu.backend import CpuBackend

BACKENDS: dict[str, Callable[[int], Backend]] = {"cpu": CpuBackend}
"""Backends by the type of their device, each made for a number of threads."""


def backend_for(device: torch.device | str, threads: int = 1) -> Backend:
    """The kernels for `device`; on the CPU they share the work among `threads` threads.

    Raises:
        ValueError: if there are none.
    """
    kind = torch.device(device).type
    if kind not in BACKENDS:
        known = " or ".join(BACKENDS)
        raise ValueError(f"`device`: got {device}, expected {known}: there are no kernels for another")
    return BACKENDS[kind](threads)


def simulate(
    connections: Connections,
    data: SpikeDataset,
    samples: npt.NDArray[np.int64],
    config: LearnerConfig,
    threads: int = 1,
) -> tuple[Tensor, Tensor]:
    """Run R networks on B samples each; differentiable by weights and delays.

    Args:
        connections: weights and delays of the networks, on the device that is to run them.
        data: the input spikes.
        samples: which samples of `data` each network sees [R, B].
        config: time constants, step and duration.
        threads: threads that share the work. Their number changes nothing beyond rounding.

    Returns:
        Features [R, B, N], the readout's time average of each neuron's output, and spike counts [R, B, N].
        Features are differentiated exactly, counts by a pseudo-derivative (see `Backend.gradients`).

    Raises:
        ValueError: if there are no kernels for the device.
    """
    backend = backend_for(connections.w_in.device, threads)
    features, counts = _Simulation.apply(  # type: ignore[no-untyped-call]
        *connections, backend, data, samples, config
    )
    return features, counts


@torch.no_grad()
def record(
    connections: Connections,
    data: SpikeDataset,
    samples: npt.NDArray[np.int64],
    config: LearnerConfig,
    threads: int = 1,
) -> HiddenSpikes:
    """The hidden spikes of R networks on B samples each; arguments and errors as in `simulate`."""
    backend = backend_for(connections.w_in.device, threads)
    return backend.hidden_spikes(backend.run(connections, data, samples, config).trace)


class _Simulation(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        w_in: Tensor,
        w_rec: Tensor,
        delays: Tensor,
        mask: Tensor,
        input_delays: Tensor | None,
        backend: Backend,
        data: SpikeDataset,
        samples: npt.NDArray[np.int64],
        config: LearnerConfig,
    ) -> tuple[Tensor, Tensor]:
        connections = Connections(w_in, w_rec, delays, mask, input_delays)
        run = backend.run(connections, data, samples, config)
        ctx.backend, ctx.trace = backend, run.trace
        return run.features, run.counts

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        found = ctx.backend.gradients(ctx.trace, *grads)
        return found.w_in, found.w_rec, found.delays, None, found.input_delays, *[None] * 4
