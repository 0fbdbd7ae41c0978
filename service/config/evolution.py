"""What goes with a population that evolves, and what would break it."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.config import LearnerConfig
from search.evolution.options import EvolutionOptions
from search.objectives import Constraint
from search.space import Space
from service.config.archive import check_archive, check_breeding
from service.config.faults import ConfigFault, Where
from service.config.metrics import METRICS
from service.config.sections import SearchSpec

SETTABLE = (
    *("learner.delay_scale", "learner.batch_size"),
    *("learner.learning_rate", "learner.position_learning_rate", "learner.delay_learning_rate"),
    *("learner.w_in_learning_rate", "learner.w_rec_learning_rate", "learner.w_out_learning_rate"),
    *("learner.wiring_cost", "learner.wiring_power", "learner.relative_cost"),
    *("learner.rate_cost", "learner.target_rate", "learner.revival", "learner.gradient_clip"),
    *("learner.augment_shift", "learner.augment_warp", "learner.augment_blend", "learner.augment_stretch"),
    *("learner.augment_jitter", "learner.augment_drop", "learner.augment_blend_adds"),
    *("learner.dropout", "learner.label_smoothing"),
    *("learner.cost_on", "learner.cost_step", "learner.prune_zeros"),
)
"""Searched fields whose values a child may have changed: the others are what its networks are made of."""
FEWEST_REPLICATES = 3
"""Of fewer pairs a paired test finds next to nothing."""

Faults = list[ConfigFault]


def check_evolution(
    sections: Mapping[str, Any],
    constraints: Sequence[Constraint],
    learner: LearnerConfig,
    space: Space,
    faults: Faults,
) -> None:
    """Whatever would break a population gets a fault, with the reason and the cure."""
    search: SearchSpec | None = sections["search"]
    if search is None or search.evolution is None:
        return
    evolution = search.evolution
    if evolution.breeds:
        check_breeding(search, evolution, faults)
        check_archive(evolution.archive, sections, faults)
    elif not evolution.inherits:
        fault = "goes with an archive or generations; members of a population always inherit networks"
        faults.append(ConfigFault(("search", "evolution", "inherit"), fault))
    _check_learner(learner, space, evolution.inherits, faults)
    _check_sizes(search, evolution, learner, faults)
    _check_moves(evolution, learner, space, faults)
    if sections["stopping"] and sections["stopping"].rule != "none":
        fault = "members are ended by comparison already, and children begin late; use none with evolution"
        faults.append(ConfigFault(("stopping", "rule"), fault))
    objectives = sections["objectives"] or ()
    deciding = [("objectives", n, one.metric) for n, one in enumerate(objectives)]
    deciding += [("constraints", n, one.metric) for n, one in enumerate(constraints)]
    faults += [
        ConfigFault(
            (key, n, "metric"), f"`{metric}` is measured when training is over, and evolution decides before"
        )
        for key, n, metric in deciding
        if metric not in METRICS and not evolution.breeds
    ]
    if evolution.exploit == "paired" and len(objectives) > 1:
        fault = f"paired needs a single objective, got {len(objectives)}; use truncation or tournament"
        faults.append(ConfigFault(("search", "evolution", "exploit"), fault))


def _check_learner(learner: LearnerConfig, space: Space, inherits: bool, faults: Faults) -> None:
    """Fields that must be the same all along a lineage."""
    if not inherits:
        return
    schedules = (
        space.domain("learner.schedule").ends() if "learner.schedule" in space.paths else [learner.schedule]
    )
    if set(schedules) != {"constant"}:
        fault = (
            "cosine takes the learning rates to zero at the last epoch, so that a child born late hardly "
            "learns, and high rates would fall behind; set `learner.schedule` to constant with evolution"
        )
        faults.append(ConfigFault(_where("schedule", space), fault))
    if "learner.patience" in space.paths or learner.patience is not None:
        fault = "would end members by a course that is not theirs; leave it out with evolution"
        faults.append(ConfigFault(_where("patience", space), fault))
    if "learner.keep" in space.paths or learner.keep != "last":
        fault = "the best networks of a lineage may be of another size; keep the last with evolution"
        faults.append(ConfigFault(_where("keep", space), fault))
    for name in ("epochs", "replicates"):
        if f"learner.{name}" in space.paths:
            fault = "must be the same for all members of a population; set it under `learner`"
            faults.append(ConfigFault(("space", f"learner.{name}"), fault))


def _check_sizes(
    search: SearchSpec, evolution: EvolutionOptions, learner: LearnerConfig, faults: Faults
) -> None:
    where: Where = ("search", "evolution")
    if evolution.ready >= learner.epochs and not evolution.breeds:
        fault = f"got {evolution.ready}, expected less than the {learner.epochs} epochs of a trial"
        faults.append(ConfigFault((*where, "ready"), fault))
    if search.trials < evolution.population:
        fault = (
            f"got {evolution.population}, and `search.trials` {search.trials} are founders and children "
            "together; lower it, or raise `search.trials`"
        )
        faults.append(ConfigFault((*where, "population"), fault))
    if evolution.exploit == "paired" and not evolution.breeds and learner.replicates < FEWEST_REPLICATES:
        fault = (
            f"paired compares replicates of the same seeds, and there are {learner.replicates}; set "
            f"`learner.replicates` to {FEWEST_REPLICATES} at least"
        )
        faults.append(ConfigFault((*where, "exploit"), fault))


def _check_moves(evolution: EvolutionOptions, learner: LearnerConfig, space: Space, faults: Faults) -> None:
    """A dimension more or less needs neurons in space, whatever is drawn."""
    path = "learner.embedding"
    embeddings = space.domain(path).ends() if path in space.paths else [learner.embedding]
    flat = [one for one in embeddings if one not in ("space", "fixed")]
    for name in ("dimension_up", "dimension_down"):
        if flat and vars(evolution.moves)[name]:
            fault = f"needs neurons in space, and `learner.embedding` may be {flat[0]}; set it to 0"
            faults.append(ConfigFault(("search", "evolution", "moves", name), fault))


def _where(name: str, space: Space) -> Where:
    path = f"learner.{name}"
    return ("space", path) if path in space.paths else ("learner", name)
