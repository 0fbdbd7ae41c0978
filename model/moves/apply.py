"""Steps applied to a checkpoint: from bytes to bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.border import kinds_checked, whole
from model.config import LearnerConfig
from model.fields import no_such, show
from model.moves.fields import set_fields
from model.moves.neurons import remove, split
from model.moves.space import dimension_down, dimension_up, jitter
from model.moves.step import Move, MoveError, Outcome, Step, check_names
from model.network.best import Best
from model.network.checkpoint import pack, unpack
from model.network.cohort import Cohort

_DISTORTIONS = ("distortion_ms", "distortions_ms")
MOVES: Mapping[str, Move] = {
    "dimension_up": Move(dimension_up, ()),
    "dimension_down": Move(dimension_down, ("limit_ms", *_DISTORTIONS), _DISTORTIONS),
    "split": Move(split, ("count", "layer", "share", "neurons", "rates"), ("neurons",)),
    "remove": Move(remove, ("count", "layer", "neurons", "rates"), ("neurons",)),
    "set": Move(set_fields, None),
    "jitter": Move(jitter, ("size", "seed"), ("seed",)),
}
"""All moves by name; docs/evolution.md says what each keeps."""


@dataclass(frozen=True)
class Moved:
    """A child, as it is at birth."""

    checkpoint: bytes
    """What `Trainer.resume` takes."""
    config: LearnerConfig
    """What the child is configured as."""
    steps: tuple[Step, ...]
    """The steps as they were applied, with all that was drawn and found on the way."""


@kinds_checked
def apply_steps(checkpoint: bytes, steps: Sequence[Step], seed: int) -> Moved:
    """Apply `steps`, in their order, to all networks of a `checkpoint` that `Trainer.checkpoint` has made.

    It is a pure function, and the `steps` that it returns do the same again whatever the seed. The optimiser
    forgets every tensor that changes its shape (its step and its moments), and goes on with the others. The
    epoch stays; which epoch was the best is forgotten, and patience counts from now on.

    Args:
        checkpoint: the parent.
        steps: what is to be done.
        seed: of what is drawn in steps that have no `seed` of their own, a whole number of at least 0.

    Raises:
        MoveError: if a step can't be done.
        CheckpointError: if `checkpoint` is none.
    """
    seed = whole(seed, "apply_steps: `seed`", 0)
    if not isinstance(steps, Sequence) or not all(isinstance(step, Step) for step in steps):
        raise TypeError(f"apply_steps: `steps`: got {show(steps)}, expected a list of Step")
    net, epoch, moments, _ = unpack(checkpoint)
    applied = []
    for number, step in enumerate(steps):
        child, done = _apply(net, step, [seed, number])
        shapes = {name: value.shape for name, value in child.named_parameters()}
        moments = {
            name: state for name, state in moments.items() if net.get_parameter(name).shape == shapes[name]
        }
        net = child
        applied.append(done)
    best = Best.start(net.replicates if net.config.keep == "best" else 1, epoch)
    return Moved(pack(net, moments, epoch, best), net.config, tuple(applied))


def _apply(net: Cohort, step: Step, stream: Sequence[int]) -> tuple[Cohort, Step]:
    """The networks after a step, and the step as it was applied."""
    where = f"step {stream[1] + 1}, `{step.name}`"
    if step.name not in MOVES:
        raise MoveError(f"{where}: {no_such('move', step.name, MOVES)}")
    move, values = MOVES[step.name], dict(step.values)
    if "seed" in move.found:
        values = {"seed": int(np.random.default_rng(stream).integers(2**31))} | values
    try:
        if move.known is not None:
            check_names(values, move.known)
        outcome: Outcome = move.act(net, values)
    except MoveError as error:
        raise MoveError(f"{where}: {error}") from error
    return outcome.net, Step(step.name, values | outcome.found)
