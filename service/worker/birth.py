"""A child's start in life: its parent's networks, moved."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from model.datasets import Splits
from model.network.checkpoint import CheckpointError
from model.training.trainer import Trainer, with_duration
from search.seeds import seed_of
from service.storage.layout import state_file
from service.worker.task import Task

Metrics = dict[str, list[float]]
Births = dict[str, Metrics]
Steps = list[dict[str, Any]]


class BirthError(ValueError):
    """A child can't be born; with the reason."""


def born(task: Task, splits: Splits) -> tuple[Trainer, Births, Steps]:
    """The trainer of a child, its evaluations before and after the jitter of its move, and the steps applied.

    The steps have all numbers that were drawn or found on the way: which neurons were split, the distortion.

    Raises:
        BirthError: if the parent's state is missing or damaged, or the move is refused. A child is never
            drawn anew: nobody could tell it from a beginner.
    """
    birth = task.birth
    assert birth is not None and task.parent is not None
    path = state_file(task.folder, task.parent, birth.epoch)
    origin = f"the state of trial {task.parent} at epoch {birth.epoch}, which it should be born from,"
    try:
        state = path.read_bytes()
    except FileNotFoundError:
        raise BirthError(f"{origin} is missing") from None
    try:
        exact = [step for step in birth.steps if step["name"] != "jitter"]
        checkpoint, steps = moved(state, exact, birth.seed)
        before = after = Trainer.resume(checkpoint, splits, task.threads)
        if len(exact) < len(birth.steps):
            checkpoint, steps = moved(state, birth.steps, birth.seed)
            after = Trainer.resume(checkpoint, splits, task.threads)
    except CheckpointError as error:
        raise BirthError(f"{origin} can't be used: {error}") from error
    wanted = with_duration(task.learner, splits.train)
    if after.config != wanted:
        raise BirthError(f"its move has made {differences(after.config, wanted)}")
    return after, {"before_jitter": evaluation(before), "after_jitter": evaluation(after)}, steps


def grown(trainer: Trainer, task: Task, splits: Splits) -> Trainer:
    """The trainer of a lineage that is repeated, its networks moved if this is the epoch for it.

    The steps are asked for anew: what was drawn and found belongs to the networks of other seeds.

    Raises:
        BirthError: if a move is refused.
    """
    from model.moves import MOVES

    after = [*(one.learner for one in task.ancestry[1:]), task.learner]
    for one, learner in zip(task.ancestry, after, strict=True):
        if one.until == trainer.epoch:
            steps = [
                {"name": step["name"], "values": _unfound(step["values"], MOVES[step["name"]].found)}
                for step in one.steps
            ]
            checkpoint, _ = moved(trainer.checkpoint(), steps, seed_of(task.seed, trainer.epoch))
            trainer = Trainer.resume(checkpoint, splits, task.threads)
            wanted = with_duration(learner, splits.train)
            if trainer.config != wanted:
                raise BirthError(f"its move has made {differences(trainer.config, wanted)}")
    return trainer


def _unfound(values: Mapping[str, Any], found: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in found}


def moved(state: bytes, steps: Steps, seed: int) -> tuple[bytes, Steps]:
    """A state after the steps of a move, and the steps as they were applied.

    Raises:
        BirthError: if the move is refused.
        CheckpointError: if the state is damaged.
    """
    from model.moves import MoveError, Step, apply_steps

    try:
        found = apply_steps(state, [Step(one["name"], one["values"]) for one in steps], seed)
    except MoveError as error:
        raise BirthError(f"its move is refused: {error}") from error
    return found.checkpoint, [{"name": one.name, "values": dict(one.values)} for one in found.steps]


def evaluation(trainer: Trainer) -> Metrics:
    """The metrics of the networks as they are now, one value a replicate."""
    return {name: values.tolist() for name, values in trainer.evaluation().items()}


def differences(made: Any, wanted: Any) -> str:
    """Fields in which one configuration is not as planned, in words."""
    found = {name: value for name, value in vars(made).items() if vars(wanted)[name] != value}
    planned = {name: vars(wanted)[name] for name in found}
    return f"{json.dumps(found)}, and {json.dumps(planned)} was planned"
