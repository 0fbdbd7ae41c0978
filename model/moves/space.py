"""Moves in space: another axis, one axis less, and noise."""

import numpy as np
import torch
from torch import Tensor

from model.moves.breeding import bred
from model.moves.step import MoveError, Outcome, Values, as_json, real
from model.network.cohort import Cohort

PLACES = ("positions", "input_positions")
"""What has a coordinate an axis."""


def dimension_up(net: Cohort, values: Values) -> Outcome:
    """One more axis, on which all coordinates are 0: every bit of what the networks answer stays."""
    grown = {name: torch.cat([value, torch.zeros_like(value[..., :1])], -1) for name, value in _places(net)}
    return Outcome(bred(net, grown, dimensions=net.config.dimensions + 1), {})


def dimension_down(net: Cohort, values: Values) -> Outcome:
    """One axis less: in each network, the direction in which its neurons are spread least is left out.

    That is their last principal component. What is left is turned by the smallest rotation that brings that
    direction to the last axis, inputs as well.
    """
    places = _places(net)
    if net.config.dimensions == 1:
        raise MoveError("there is 1 dimension, and at least 1 must stay")
    limit = real(values, "limit_ms")
    turned = [_rotation(own.double().numpy()) for own in net.positions.detach()]
    rotation = torch.from_numpy(np.stack(turned))
    left = {
        name: (value.double() @ rotation.transpose(1, 2))[..., :-1].to(value.dtype).contiguous()
        for name, value in places
    }
    child = bred(net, left, dimensions=net.config.dimensions - 1)
    by_replicate = _distortion(net, child)
    worst = max(by_replicate)
    if worst > limit:
        raise MoveError(
            f"delays would change by {worst:g} ms (mean over synapses by |w|), `limit_ms` is {limit:g}"
        )
    return Outcome(child, {"distortion_ms": worst, "distortions_ms": as_json(by_replicate)})


def jitter(net: Cohort, values: Values) -> Outcome:
    """Normal noise of standard deviation `size` (units of space) on positions; inputs stay."""
    size, seed = real(values, "size"), int(real(values, "seed"))
    if size <= 0 or seed < 0:
        raise MoveError(
            f"`size` and `seed`: got {size:g} and {seed}, expected a size above 0, a seed of at least 0"
        )
    positions = dict(_places(net))["positions"]
    noise = [np.random.default_rng([seed, own]).normal(0, size, positions.shape[1:]) for own in net.seeds]
    moved = positions + torch.from_numpy(np.stack(noise)).to(positions.dtype)
    return Outcome(bred(net, {"positions": moved}), {})


def _places(net: Cohort) -> list[tuple[str, Tensor]]:
    """What lies in space, by name; MoveError if nothing does, or a coordinate is not finite."""
    if not net.has_positions:
        raise MoveError(f"networks of `embedding` {net.config.embedding} have no positions")
    state = net.state_dict()
    found = [(name, state[name]) for name in PLACES if name in state]
    for name, value in found:
        if not value.isfinite().all():
            raise MoveError(f"`{name}` are not finite")
    return found


def _rotation(positions: np.ndarray) -> np.ndarray:
    """The least rotation [D, D] that brings the last principal component of `positions` to the last axis.

    With a the component and b the axis it is 1 - (a + b)(a + b)' / (1 + a'b) + 2 b a'; none at all for a = b.
    """
    dimensions = positions.shape[1]
    least = np.linalg.svd(positions - positions.mean(0))[2][-1]
    axis = np.eye(dimensions)[-1]
    least = -least if least @ axis < 0 else least
    both = least + axis
    return np.asarray(
        np.eye(dimensions) - np.outer(both, both) / (1 + least @ axis) + 2 * np.outer(axis, least)
    )


@torch.no_grad()
def _distortion(net: Cohort, child: Cohort) -> list[float]:
    """By how much delays differ (ms), a mean weighted by |w|, of each network [R].

    Where inputs have delays it is the larger one of two means, over recurrent synapses and over inputs.
    """
    kinds = [(net.w_rec.abs() * net.mask, net.delays(), child.delays())]
    before, after = net.input_delays(), child.input_delays()
    if before is not None and after is not None:
        kinds.append((net.w_in.abs(), before, after))
    found = []
    for weights, old, new in kinds:
        change = (weights.double() * (new.double() - old.double()).abs()).sum((1, 2))
        found.append(change / weights.double().sum((1, 2)).clamp(min=torch.finfo(torch.float64).tiny))
    worst: list[float] = torch.stack(found).amax(0).tolist()
    return worst
