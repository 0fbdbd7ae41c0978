"""A cohort in training as bytes: tensors by safetensors, the rest as JSON in its header. Never pickle."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from model.config import LearnerConfig
from model.network.best import Best
from model.network.cohort import Cohort

FORMAT = "1"
CHECKSUM = "checksum"

Moments = dict[str, dict[str, torch.Tensor]]


class CheckpointError(ValueError):
    """A checkpoint that cannot be read: truncated, foreign, or of another version."""


def pack(net: Cohort, optimizer: torch.optim.Adam | None, epoch: int, best: Best) -> bytes:
    """A checkpoint of the networks after `epoch`; with the optimiser, all that training needs to go on.

    That is then also the networks of the best epoch, if they are kept.
    """
    tensors = {f"net.{name}": value.contiguous() for name, value in net.state_dict().items()}
    moments = {} if optimizer is None else optimizer.state
    for name, parameter in net.named_parameters():
        for key, value in moments.get(parameter, {}).items():
            tensors[f"adam.{key}.{name}"] = value.contiguous()
    if optimizer is not None:
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
    return save(tensors, header | {CHECKSUM: _checksum(tensors, header)})


def unpack(data: bytes, threads: int = 1) -> tuple[Cohort, int, Moments, Best]:
    """The cohort, its epoch, the optimiser's state by parameter name, and the best epoch so far.

    Raises:
        CheckpointError: if `data` is not a checkpoint of this version.
    """
    try:
        header = _header(data)
        if header.get("format") != FORMAT:
            raise CheckpointError(f"checkpoint of format {header.get('format')}, expected {FORMAT}")
        tensors = load(data)
        if header.pop(CHECKSUM, None) not in (None, _checksum(tensors, header)):  # None: of an older version
            raise CheckpointError("the checkpoint is damaged")
        config = LearnerConfig(**json.loads(header["config"]))
        net = Cohort(
            config,
            int(header["n_channels"]),
            int(header["n_classes"]),
            json.loads(header["seeds"]),
            dtype=tensors["net.w_in"].dtype,
            threads=threads,
        )
        net.load_state_dict(_named(tensors, "net."))
        epoch = int(header["epoch"])
        best = Best.from_plain(json.loads(header["best"]), _named(tensors, "best."))
    except CheckpointError:
        raise
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"not a checkpoint, or a damaged one: {error}") from error
    moments: Moments = {}
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, kind, name = key.split(".", 2)
            moments.setdefault(name, {})[kind] = value
    return net, epoch, moments, best


def _named(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those tensors whose names begin with `prefix`, by the rest of the name."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _checksum(tensors: Mapping[str, torch.Tensor], header: Mapping[str, str]) -> str:
    """A checksum (decimal) of numbers and header: safetensors itself would not notice another number."""
    total = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {value.dtype} {list(value.shape)}".encode(), total)
        total = zlib.crc32(value.detach().contiguous().numpy().tobytes(), total)
    return str(total)


def _header(data: bytes) -> dict[str, Any]:
    # The library reads headers from files only; the layout is a length (8 bytes, little-endian) and JSON.
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise CheckpointError("the checkpoint is truncated")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return header.get("__metadata__") or {}
