"""Limits of what networks learn: the space that neurons may be in, the longest delay, the signs of weights.

All of them are projections: after each step of the optimiser what has left its legal range is brought back to
it, in place. Within the range gradients are what they are without limits.
"""

from dataclasses import dataclass
from math import inf, lgamma, log, pi
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.border import kinds_checked
from model.layers import Layers

ROUNDS = 50
"""How often at most neurons that are too near to each other are pushed apart after one step."""
MARGIN = 1e-3
"""Neurons are pushed apart by so much more than is asked for, so that rounding brings none back."""


@dataclass(frozen=True)
class SpaceLimits:
    """Where neurons may be, and how near to each other. Lengths in units of space; no limits by default."""

    half_side: float = inf
    """Half the side of a box about the origin."""
    radius: float = inf
    """Radius of a ball about the origin."""
    least_distance: float = 0.0
    """Between two neurons of a network."""
    grid: float = 0.0
    """Step of the grid that `settle` rounds positions to; 0: none."""

    @kinds_checked
    @torch.no_grad()
    def project(self, positions: Tensor) -> None:
        """Bring `positions` [R, N, D] within the limits, in place.

        A position outside goes to the nearest point within, to the box before the ball. Neurons that are too
        near move away from each other, along the line through both and by the same length, until none are or
        for ROUNDS rounds: where they are crowded, some may be nearer for a while.
        """
        self._confine(positions)
        if self.least_distance:
            for _ in range(ROUNDS):
                if not _push_apart(positions, self.least_distance):
                    break
                self._confine(positions)

    @kinds_checked
    @torch.no_grad()
    def settle(self, positions: Tensor) -> None:
        """Round `positions` [R, N, D] within the limits to points of the grid that are within, in place."""
        if not self.grid:
            return
        steps = positions / self.grid
        near = steps.round() * self.grid
        outside = (near.abs() > self.half_side).any(2, keepdim=True)
        outside |= near.norm(dim=2, keepdim=True) > self.radius
        positions.copy_(torch.where(outside, steps.trunc() * self.grid, near))

    def _confine(self, positions: Tensor) -> None:
        positions.clamp_(-self.half_side, self.half_side)
        if self.radius < inf:
            length = positions.norm(dim=2, keepdim=True)
            positions.mul_(torch.where(length > self.radius, self.radius / length, 1))


def _push_apart(positions: Tensor, least: float) -> bool:
    """Move all pairs that are nearer than `least` apart, once; returns whether there was any."""
    n = positions.shape[1]
    between = positions.unsqueeze(2) - positions.unsqueeze(1)
    distances = between.norm(dim=3)
    near = (distances < least) & ~torch.eye(n, dtype=torch.bool)
    if not near.any():
        return False
    # Neurons at one place part along the first axis, that of the lower number to the left.
    order = torch.arange(n, dtype=positions.dtype)
    between[..., 0] += torch.where(distances == 0, (order[:, None] - order).sign(), 0)
    length = torch.where(distances == 0, 1, distances)
    amounts = torch.where(near, 0.5 * ((1 + MARGIN) * least - distances), 0)
    positions += (between / length[..., None] * amounts[..., None]).sum(2)
    return True


@kinds_checked
def kinds_of(layers: Layers, excitatory: float) -> npt.NDArray[np.bool_]:
    """Which neurons are excitatory [N]: of each layer the first ones, as near to that share as can be."""
    found = np.zeros(layers.neurons, bool)
    for own in layers.members:
        found[own.start : own.start + round(excitatory * (own.stop - own.start))] = True
    return found


@kinds_checked
def signed(weights: np.ndarray, excitatory: np.ndarray) -> np.ndarray:
    """Weights [N, N] of the same sizes with the signs of their presynaptic neurons `excitatory` [N] (bool).

    Excitation and inhibition are balanced: with E neurons of one kind and I of the other, the weights of
    excitatory ones are scaled by sqrt(I / E), those of inhibitory ones by sqrt(E / I). So their means cancel
    each other, and the mean square of all is what it was. Source: Song, Yang & Wang 2016, PLoS Computational
    Biology 12 (2), e1004792, where the balance is the same.
    """
    e, i = int(excitatory.sum()), int((~excitatory).sum())
    up, down = (np.sqrt(i / e), np.sqrt(e / i)) if e and i else (1.0, 1.0)
    found: np.ndarray = np.abs(weights) * np.where(excitatory, up, -down)[:, None]
    return found


@kinds_checked
@torch.no_grad()
def keep_signs(w_rec: Tensor, excitatory: Tensor) -> None:
    """Set the weights `w_rec` [R, N, N] to 0 that have not the sign of their neuron, `excitatory` [R, N]."""
    w_rec.copy_(torch.where(excitatory[..., None], w_rec.clamp(min=0), w_rec.clamp(max=0)))


def limits_fault(config: Any) -> str | None:
    """What is wrong with the limits of space and of delays in a LearnerConfig, or None."""
    given = {name: getattr(config, name) for name in ("space_shape", "least_distance", "position_grid")}
    asked = [name for name, value in given.items() if value is not None]
    if asked and config.embedding != "space":
        return f"`{asked[0]}`: needs positions that are learned; set `embedding` to space, or leave it out"
    if (config.space_shape is None) != (config.space_size is None):
        pair = ("space_size", "space_shape") if config.space_size is None else ("space_shape", "space_size")
        return f"`{pair[0]}` is missing beside `{pair[1]}`; give both or neither"
    if config.least_distance is not None and config.position_grid is not None:
        return "`position_grid` may put two neurons on one point, which `least_distance` forbids; keep one"
    if config.max_delay is None:
        return None
    if config.embedding not in ("space", "free", "axonal"):
        return (
            f"`max_delay`: delays of {config.embedding} are not learned; set `embedding` to space, free or "
            "axonal, or leave it out"
        )
    if config.max_delay <= config.delay_floor:
        return (
            f"`max_delay`: got {config.max_delay:g}, expected more than the least delay, "
            f"{config.delay_floor:g} ms"
        )
    if config.learn_delay_scale:
        return "`max_delay`: with `learn_delay_scale` no space has a longest delay; keep one of them"
    return None


def crowding_fault(config: Any) -> str | None:
    """What is wrong if the neurons of a LearnerConfig can't be so far apart in its space, or None.

    Balls of half the least distance about the neurons do not overlap, and lie in the space grown by as much:
    where their volumes alone are more than that, no places will do.
    """
    limits, least = space_limits(config), config.least_distance
    size = min(limits.half_side, limits.radius)
    if least is None or size == inf:
        return None
    # A ball of radius r is a box of half side r times a constant less than 1, which both sides share.
    share = config.neurons * (least / 2) ** config.dimensions
    room = (size + least / 2) ** config.dimensions
    if limits.half_side <= limits.radius:
        share *= _ball_in_box(config.dimensions)
    if share <= room:
        return None
    return (
        f"`least_distance`: {config.neurons} neurons can't all be {least:g} apart in a space of size "
        f"{size:g}; make it less, or the space larger"
    )


def _ball_in_box(dimensions: int) -> float:
    """Volume of a ball over that of the box around it."""
    return float(np.exp(dimensions / 2 * log(pi) - lgamma(dimensions / 2 + 1) - dimensions * log(2)))


def space_limits(config: Any) -> SpaceLimits:
    """The limits of space that a LearnerConfig asks for."""
    half_side = config.space_size if config.space_shape == "box" else inf
    radius = config.space_size if config.space_shape == "ball" else inf
    if config.max_delay is not None:
        radius = min(radius, (config.max_delay - config.delay_floor) / config.delay_scale / 2)
    return SpaceLimits(half_side, radius, config.least_distance or 0.0, config.position_grid or 0.0)


def signs_fault(config: Any) -> str | None:
    """What is wrong with the signs of weights in a LearnerConfig, or None."""
    if config.excitatory is not None and config.start is not None:
        return "`excitatory`: the weights of a `start` have their own signs; keep one of them"
    return None
