"""Limits of the space that neurons may be in, as projections: what has left them is brought back."""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from model.border import kinds_checked
from model.config import LearnerConfig
from model.limits import space_of

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


def space_limits(config: LearnerConfig) -> SpaceLimits:
    """The limits of space that a configuration asks for."""
    half_side, radius = space_of(config)
    return SpaceLimits(half_side, radius, config.least_distance or 0.0, config.position_grid or 0.0)
