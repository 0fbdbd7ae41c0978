"""How a child is planned: its values, what is done to its parent's networks, and where it comes from."""

from model.layers import sizes_of
from search import Suggestion
from search.evolution.explore import DIMENSIONS, HIDDEN, Change, Structure
from search.seeds import seed_of
from service.config.model_fields import as_option
from service.config.sweep import SweepSpec
from service.record.plan import Birth, PlannedTrial

EPOCHS = "learner.epochs"


def structure_of(spec: SweepSpec, begun: PlannedTrial) -> Structure:
    """Dimensions and neurons, or sizes of layers, of a trial's networks, by path, wherever they are set."""
    birth = begun.birth
    known = {**spec.fixed, **begun.suggestion.values, **(birth.structure if birth else {})}
    return {DIMENSIONS: int(known[DIMENSIONS]), HIDDEN: sizes_of(known[HIDDEN])}


def last_epoch(spec: SweepSpec, begun: PlannedTrial) -> int:
    """The epoch to which a trial trains, counted along its lineage."""
    grown = begun.birth.structure if begun.birth else {}
    return int({**spec.fixed, **begun.suggestion.values, **grown}[EPOCHS])


def child_of(
    spec: SweepSpec,
    trial: int,
    parent: PlannedTrial,
    change: Change,
    epoch: int,
    *,
    replaces: int | None = None,
    epochs: int | None = None,
) -> PlannedTrial:
    """A child that inherits networks.

    Args:
        spec: the sweep.
        trial: the child's number.
        parent: whose networks it goes on from.
        change: how it differs.
        epoch: that of the parent's state it is born from.
        replaces: the member of a population whose place it takes.
        epochs: the epoch to which it trains, if not that of all others.
    """
    before, steps = parent.birth, list(change.steps)
    for path in parent.suggestion.values.keys() - change.values.keys():  # not searched any more: as it is set
        name = path.rpartition(".")[2]
        steps[0]["values"][name] = vars(spec.learner)[name]
    changed = {path: as_option(path, value) for path, value in change.structure.items()}
    structure = {path: value for path, value in changed.items() if value != spec.fixed[path]}
    if epochs is not None:
        steps.insert(0, {"name": "set", "values": {"epochs": epochs}})
        structure[EPOCHS] = epochs
    birth = Birth(
        epoch=epoch,
        generation=before.generation + 1 if before else 1,
        founder=before.founder if before else parent.trial,
        replaces=replaces,
        steps=steps,
        seed=seed_of(spec.search.seed, trial),
        structure=structure,
    )
    return PlannedTrial(Suggestion(trial, change.values), parent.trial, change.move, birth=birth)
