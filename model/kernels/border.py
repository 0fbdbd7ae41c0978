"""What reaches the kernels, checked: compiled code does not look whether an index is within its array."""

from typing import Any

import torch
from torch import Tensor

from model.arrays import Ints
from model.border import sample_indices
from model.config import LearnerConfig
from model.datasets import SpikeDataset
from model.fields import show
from model.kernels.connections import Connections

TOGETHER = (("adaptation", "tau_adaptation"), ("tau_mem", "tau_syn"))
"""Tensors [R, N] that networks have both of, or neither."""
OPTIONAL = ("input_delays", *TOGETHER[0], *TOGETHER[1])
"""Tensors that networks may lack."""
ROUNDING = 1e-5
"""By what share of a step a time constant may be below it, having been kept as a logarithm."""
DTYPES = (torch.float32, torch.float64)
"""What the kernels calculate in."""


def check_dtype(dtype: object, where: str) -> None:
    """Raise ValueError, naming `where`, if there are no kernels for numbers of this type."""
    if dtype not in DTYPES:
        raise ValueError(f"{where}: `dtype`: got {show(dtype)}, expected torch.float32 or torch.float64")


def check_run(
    connections: Connections, data: SpikeDataset, samples: Any, config: LearnerConfig, dropped: Tensor | None
) -> Ints:
    """The indices of `samples` [R, B], once all that a backend is to run is found legal.

    What is in a `SpikeDataset` was checked when it was made. This takes a look at shapes and indices alone.

    Raises TypeError for what is no network, data set or configuration, ValueError for shapes and types that
    do not fit, and IndexError for samples that are not there.
    """
    for name, value, kind in (("data", data, SpikeDataset), ("config", config, LearnerConfig)):
        if not isinstance(value, kind):
            raise TypeError(f"simulate: `{name}`: got {show(value)}, expected a {kind.__name__}")
    _check_connections(connections)
    _check_taus(connections, config.dt)
    networks, inputs = connections.w_in.shape[:2]
    expected = -(-data.n_channels // config.pool_channels)
    if inputs != expected:
        raise ValueError(
            f"simulate: `data` has {data.n_channels} channels, which are {expected} inputs with "
            f"`pool_channels` = {config.pool_channels}, but `w_in` has {inputs}"
        )
    chosen = sample_indices(samples, len(data), "simulate: `samples`")
    if chosen.ndim != 2 or chosen.shape[0] != networks:
        raise ValueError(
            f"simulate: `samples`: got shape {list(chosen.shape)}, expected [R, B], R = {networks}"
        )
    if dropped is not None:
        shape = (*chosen.shape, connections.w_rec.shape[2])
        if dropped.shape != shape or dropped.dtype != torch.bool:
            got = f"{list(dropped.shape)} of {dropped.dtype}"
            raise ValueError(f"simulate: `dropped`: got {got}, expected {list(shape)} of torch.bool")
    return chosen


def _check_connections(connections: Connections) -> None:
    w_in, w_rec = connections.w_in, connections.w_rec
    for name, value in connections._asdict().items():
        if not isinstance(value, Tensor) and (value is not None or name not in OPTIONAL):
            raise TypeError(f"simulate: `{name}`: got {show(value)}, expected a tensor")
    check_dtype(w_in.dtype, "simulate")
    if w_in.dim() != 3 or 0 in w_in.shape:
        raise ValueError(
            f"simulate: `w_in`: got shape {list(w_in.shape)}, expected [R, I, M], each at least 1"
        )
    for one, other in TOGETHER:
        if (getattr(connections, one) is None) != (getattr(connections, other) is None):
            raise ValueError(f"simulate: `{one}` and `{other}` go together; give both or neither")
    networks, _, hearing = w_in.shape
    # As wide as `w_rec` says where that makes sense, else as `w_in` does: then `w_rec` is at fault.
    neurons = w_rec.shape[-1] if w_rec.dim() == 3 and w_rec.shape[-1] >= hearing else hearing
    square = (networks, neurons, neurons)
    for name, value, shape, dtype in (
        ("w_rec", w_rec, square, w_in.dtype),
        ("delays", connections.delays, square, w_in.dtype),
        ("mask", connections.mask, square, torch.bool),
        ("input_delays", connections.input_delays, w_in.shape, w_in.dtype),
        *(
            (name, getattr(connections, name), (networks, neurons), w_in.dtype)
            for pair in TOGETHER
            for name in pair
        ),
    ):
        if value is None:
            continue
        if value.shape != shape or value.dtype != dtype or value.device != w_in.device:
            got = f"{list(value.shape)} of {value.dtype} on {value.device}"
            raise ValueError(
                f"simulate: `{name}`: got {got}, expected {list(shape)} of {dtype} on {w_in.device}, to go "
                "with `w_in`; move and convert all of a network together"
            )


def _check_taus(connections: Connections, dt: float) -> None:
    """Raise ValueError for time constants that the scheme cannot take; NaN passes, as weights of NaN do."""
    tau_mem, tau_syn = connections.tau_mem, connections.tau_syn
    if tau_mem is None or tau_syn is None:
        return
    for name, tau in (("tau_mem", tau_mem), ("tau_syn", tau_syn)):
        if (tau < dt * (1 - ROUNDING)).any():
            raise ValueError(
                f"simulate: `{name}`: got {tau.min().item():g}, expected at least `dt` = {dt:g}, within "
                "which the kernels' exponentials are exact"
            )
    if (tau_mem == tau_syn).any():
        raise ValueError(
            "simulate: `tau_mem` and `tau_syn` are the same for a neuron; make them differ, or the "
            "difference of their exponentials has no digits left"
        )
