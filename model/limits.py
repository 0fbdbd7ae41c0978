"""What is wrong with limits of what networks learn: of places, of delays and of the signs of weights.

Limits are kept by projection: after each step of the optimiser what has left its legal range is brought back
to it (`model.embeddings.limits`, `model.network.signs`). The functions here take a LearnerConfig, whose
module stands above this one.
"""

from math import exp, inf, lgamma, log, pi
from typing import Any


def space_of(config: Any) -> tuple[float, float]:
    """Half the side of the box and the radius of the ball that positions are kept within; inf without one.

    A greatest delay is that of two neurons on opposite sides of a ball.
    """
    half_side = config.space_size if config.space_shape == "box" else inf
    radius = config.space_size if config.space_shape == "ball" else inf
    if config.max_delay is not None:
        radius = min(radius, (config.max_delay - config.delay_floor) / config.delay_scale / 2)
    return half_side, radius


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
    half_side, radius = space_of(config)
    size, least = min(half_side, radius), config.least_distance
    if least is None or size == inf:
        return None
    # A ball of radius r is a box of half side r times a constant less than 1, which both sides share.
    share = config.neurons * (least / 2) ** config.dimensions
    room = (size + least / 2) ** config.dimensions
    if half_side <= radius:
        share *= _ball_in_box(config.dimensions)
    if share <= room:
        return None
    return (
        f"`least_distance`: {config.neurons} neurons can't all be {least:g} apart in a space of size "
        f"{size:g}; make it less, or the space larger"
    )


def _ball_in_box(dimensions: int) -> float:
    """Volume of a ball over that of the box around it."""
    return exp(dimensions / 2 * log(pi) - lgamma(dimensions / 2 + 1) - dimensions * log(2))


def signs_fault(config: Any) -> str | None:
    """What is wrong with the signs of weights in a LearnerConfig, or None."""
    if config.excitatory is not None and config.start is not None:
        return "`excitatory`: the weights of a `start` have their own signs; keep one of them"
    return None
