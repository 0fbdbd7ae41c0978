"""A cohort in training as bytes: tensors by safetensors, the rest as JSON in its header. Never pickle."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from model.border import kinds_checked, whole
from model.config import LearnerConfig
from model.fields import show
from model.kernels.border import check_dtype
from model.network.best import Best
from model.network.cohort import Cohort

FORMAT = "1"
CHECKSUM = "checksum"
LATER = ("neuron_id", "next_neuron_id")
"""Buffers that files of earlier versions lack: there they are as the network was born with."""

Moments = dict[str, dict[str, torch.Tensor]]


class CheckpointError(ValueError):
    """A checkpoint that cannot be read: truncated, foreign, or of another version."""


@kinds_checked
def pack(net: Cohort, moments: Moments | None, epoch: int, best: Best) -> bytes:
    """A checkpoint of the networks after `epoch`; with the moments, all that training needs to go on.

    That is then also the networks of the best epoch, if they are kept. The same state gives the same bytes.

    moments: the optimiser's state by parameter name, as `unpack` returns it.
    """
    check_dtype(net.w_in.dtype, "pack")
    if moments is not None and not (
        isinstance(moments, dict) and moments.keys() <= dict(net.named_parameters()).keys()
    ):
        raise TypeError(
            f"pack: `moments`: got {show(moments)}, expected the state of some parameters by name"
        )
    tensors = {f"net.{name}": value.contiguous() for name, value in net.state_dict().items()}
    for name, state in (moments or {}).items():
        for key, value in state.items():
            tensors[f"adam.{key}.{name}"] = value.contiguous()
    if moments is not None:
        tensors |= {f"best.{name}": value for name, value in best.networks.items()}
    header = {
        "format": FORMAT,
        "config": json.dumps(asdict(net.config)),
        "n_channels": str(net.n_channels),
        "n_classes": str(net.n_classes),
        "seeds": json.dumps(net.seeds),
        "epoch": str(epoch),
        "best": json.dumps(best.plain()),
    }
    return _in_order(save(tensors, header | {CHECKSUM: _checksum(tensors, header)}))


@kinds_checked
def unpack(data: bytes, threads: int = 1) -> tuple[Cohort, int, Moments, Best]:
    """The cohort, its epoch, the optimiser's state by parameter name, and the best epoch so far.

    Raises:
        CheckpointError: if `data` is not a checkpoint of this version.
    """
    whole(threads, "unpack: `threads`", 1)
    try:
        header = _header(data)
        if header.get("format") != FORMAT:
            raise CheckpointError(f"checkpoint of format {header.get('format')}, expected {FORMAT}")
        tensors = load(data)
        if header.pop(CHECKSUM, None) not in (None, _checksum(tensors, header)):  # None: of an older version
            raise CheckpointError("the checkpoint is damaged")
        net = _cohort(header, tensors, threads)
        best = Best.from_plain(json.loads(header["best"]), _kept(net, tensors))
        return net, whole(int(header["epoch"]), "epoch", 0), _moments(net, tensors), best
    except CheckpointError:
        raise
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"not a checkpoint, or a damaged one: {error}") from error


def _cohort(header: Mapping[str, str], tensors: Mapping[str, torch.Tensor], threads: int) -> Cohort:
    """The networks; tensors are looked at before as much memory is taken as the header asks for."""
    config, seeds = LearnerConfig(**json.loads(header["config"])), json.loads(header["seeds"])
    n_channels, n_classes = int(header["n_channels"]), int(header["n_classes"])
    layers, n, r = config.layers, config.neurons, len(seeds)
    shapes = {
        "w_in": (r, -(-n_channels // config.pool_channels), layers.hearing),
        "w_rec": (r, n, n),
        "w_out": (r, layers.read_out, config.readout_windows * n_classes),
    }
    for name, shape in shapes.items():
        if tensors[f"net.{name}"].shape != shape:
            raise CheckpointError(f"not a checkpoint, or a damaged one: `{name}` is not {list(shape)}")
    dtype = tensors["net.w_in"].dtype
    net = Cohort(config, n_channels, n_classes, seeds, dtype=dtype, threads=threads)
    state = _complete(_named(tensors, "net."), net)
    for name, own in net.state_dict().items():
        if state[name].dtype != own.dtype:
            raise CheckpointError(f"not a checkpoint, or a damaged one: `{name}` is not of {own.dtype}")
    net.load_state_dict(state)
    return net


def _kept(net: Cohort, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The networks of the best epoch, where they are kept: all that `net` is made of, of the same shapes."""
    kept, own = _named(tensors, "best."), net.state_dict()
    kept = _complete(kept, net) if kept else kept
    for name, value in kept.items():
        if name not in own or (value.shape, value.dtype) != (own[name].shape, own[name].dtype):
            raise CheckpointError(f"not a checkpoint, or a damaged one: `best.{name}` belongs to no network")
    if kept and kept.keys() != own.keys():
        raise CheckpointError("not a checkpoint, or a damaged one: the best networks lack a part")
    return kept


def _moments(net: Cohort, tensors: Mapping[str, torch.Tensor]) -> Moments:
    """The optimiser's state by the name of the parameter, which is one of the network's."""
    parameters, moments = dict(net.named_parameters()), Moments()
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, kind, name = key.split(".", 2)
            if name not in parameters or value.shape not in ((), parameters[name].shape):
                raise CheckpointError(f"not a checkpoint, or a damaged one: `{key}` belongs to no parameter")
            moments.setdefault(name, {})[kind] = value
    return moments


def _named(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those tensors whose names begin with `prefix`, by the rest of the name."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _complete(state: dict[str, torch.Tensor], net: Cohort) -> dict[str, torch.Tensor]:
    """`state` with the buffers that an earlier version did not write, as `net` has them."""
    return {name: net.state_dict()[name].clone() for name in LATER} | state


def _checksum(tensors: Mapping[str, torch.Tensor], header: Mapping[str, str]) -> str:
    """A checksum (decimal) of numbers and header: safetensors itself would not notice another number."""
    total = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {value.dtype} {list(value.shape)}".encode(), total)
        total = zlib.crc32(value.detach().contiguous().numpy().tobytes(), total)
    return str(total)


def _in_order(data: bytes) -> bytes:
    """The same file with its header in alphabetical order: the library's differs from call to call."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # tensors begin on a border of 8 bytes
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def _header(data: bytes) -> dict[str, Any]:
    # The library reads headers from files only; the layout is a length (8 bytes, little-endian) and JSON.
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise CheckpointError("the checkpoint is truncated")
    header = json.loads(data[8 : 8 + length])
    found = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(found, dict):
        raise CheckpointError("not a checkpoint, or a damaged one: there is no header")
    return found
