"""The kernels as one differentiable torch operation, whatever the device."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from model.border import kinds_checked, whole
from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.kernels.backend import Backend, Gradients, HiddenSpikes
from model.kernels.connections import Connections
from model.kernels.cpu.backend import CpuBackend

P = ParamSpec("P")
T = TypeVar("T")

BACKENDS: dict[str, Callable[[int], Backend]] = {"cpu": CpuBackend}
"""Backends by the type of their device, each made for a number of threads."""


def backend_for(device: torch.device | str, threads: int = 1) -> Backend:
    """The kernels for `device`; on the CPU they share the work among `threads` threads.

    Raises:
        ValueError: if there are none.
    """
    whole(threads, "`threads`", 1)
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError):  # for what torch does not know
        kind = None
    if kind not in BACKENDS:
        known = " or ".join(BACKENDS)
        raise ValueError(f"`device`: got {device}, expected {known}: there are no kernels for another")
    return BACKENDS[kind](threads)


def uncompiled(function: Callable[P, T]) -> Callable[P, T]:
    """Have `function` run as it is inside of `torch.compile` as well, which cannot compile the kernels again.

    Torch's own decorator does the same, but takes seconds to load, also where nothing is to be compiled.
    """

    @wraps(function)
    def plain(*values: P.args, **named: P.kwargs) -> T:
        if torch.compiler.is_compiling():
            run: Callable[P, T] = torch.compiler.disable(function)
            return run(*values, **named)
        return function(*values, **named)

    return plain


@uncompiled
@kinds_checked
def simulate(
    connections: Connections,
    data: SpikeDataset,
    samples: npt.ArrayLike,
    config: LearnerConfig,
    threads: int = 1,
    dropped: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run R networks on B samples each; differentiable by weights, delays and what neurons have of their own.

    Args:
        connections: what the networks are, on the device that is to run them.
        data: the input spikes.
        samples: which samples of `data` each network sees [R, B]; negative ones count from the end.
        config: time constants, step and duration.
        threads: threads that share the work. Their number changes nothing beyond rounding.
        dropped: neurons whose spikes reach no other neuron [R, B, N] (bool); None: all are heard.

    Returns:
        Features [R, B, W N], the readout's time average of each neuron's output in one of its W windows after
        the other, and spike counts [R, B, N], both of dropped neurons, too.
        Features are differentiated exactly, counts by a pseudo-derivative (see `Backend.gradients`).

    Raises:
        ValueError: if there are no kernels for the device or the type of numbers, or shapes do not fit.
        IndexError: if a sample is not in `data`, or its index is no whole number.
    """
    backend = backend_for(connections.w_in.device, threads)
    features, counts = _Simulation.apply(  # type: ignore[no-untyped-call]
        *connections, backend, data, samples, config, dropped
    )
    return features, counts


@uncompiled
@kinds_checked
@torch.no_grad()
def record(
    connections: Connections,
    data: SpikeDataset,
    samples: npt.ArrayLike,
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
        adaptation: Tensor | None,
        tau_adaptation: Tensor | None,
        tau_mem: Tensor | None,
        tau_syn: Tensor | None,
        backend: Backend,
        data: SpikeDataset,
        samples: npt.ArrayLike,
        config: LearnerConfig,
        dropped: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        own = adaptation, tau_adaptation, tau_mem, tau_syn
        connections = Connections(w_in, w_rec, delays, mask, input_delays, *own)
        run = backend.run(connections, data, samples, config, dropped)
        ctx.backend, ctx.trace = backend, run.trace
        ctx.save_for_backward(w_in, w_rec, delays, input_delays, *own)
        return run.features, run.counts

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        found = Gradients(
            *_FirstDerivative.apply(  # type: ignore[no-untyped-call]
                ctx.backend, ctx.trace, *grads, *ctx.saved_tensors
            )
        )
        w_in, w_rec, delays, *others = found
        return w_in, w_rec, delays, None, *others, *[None] * 5


class _FirstDerivative(torch.autograd.Function):
    """The gradient, as an operation that cannot be differentiated again and says so.

    Torch's `once_differentiable` would not do: it looks at what comes from above alone, and a plain sum of
    features passes down a constant. Then the gradient, which depends on weights and delays as well, would
    pass for a constant, too, and the second derivative would come out wrong without a word.
    """

    @staticmethod
    def forward(
        ctx: Any, backend: Backend, trace: Any, by_features: Tensor, by_counts: Tensor, *inputs: Tensor | None
    ) -> Gradients:
        return tuple(backend.gradients(trace, by_features, by_counts))  # type: ignore[return-value]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError(
            "the spiking kernels have exact first derivatives and no second ones: leave out gradient "
            "penalties and Hessians of weights and delays, or take them by finite differences of gradients"
        )
