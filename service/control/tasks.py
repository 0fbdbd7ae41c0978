"""What a trial that was planned is to do: its task."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from model.config import LearnerConfig
from search.seeds import seed_of
from service.config.sweep import SweepSpec, data_for, learner_for
from service.record.plan import REMEASURED, PlannedTrial
from service.record.schema import make_schemas, searched_columns
from service.storage.paths import StoragePath
from service.worker.task import Ancestor, Task


def schemas_of(spec: SweepSpec) -> dict[str, pa.Schema]:
    """The schemas of a sweep's tables."""
    columns = searched_columns(spec.space)
    return make_schemas(columns, spec.recorded_measures, spec.measures, spec.changing)


def make_task(
    spec: SweepSpec, folder: StoragePath, begun: PlannedTrial, lineage: Sequence[PlannedTrial] = ()
) -> Task:
    """What a trial that was begun is to do.

    Args:
        spec: the sweep.
        folder: of the sweep.
        begun: the trial.
        lineage: of one that measures an elite again the trials it repeats, from the founder to itself.

    Raises:
        ValueError: if its fields contradict each other.
    """
    values, learner = begun.suggestion.values, _learner(spec, begun, begun.replicates)
    ancestors = [
        Ancestor(_learner(spec, one, begun.replicates), heir.birth)
        for one, heir in pairwise(lineage)
        if heir.birth is not None
    ]
    return Task(
        trial=begun.trial,
        learner=learner,
        data=data_for(spec, values),
        seed=seed_of(spec.search.seed, _numbered(spec, begun)),
        folder=folder,
        threads=spec.resources.cpus,
        checkpoint=spec.resources.checkpoint,
        may_stop=spec.may_stop,
        synapses=spec.record.synapses,
        pruning=spec.record.pruning,
        lesions=spec.record.lesions,
        delay_graph=spec.record.delay_graph,
        nulls=spec.record.nulls,
        compared=spec.record.compared_measures,
        snapshots=spec.record.snapshots,
        measures=tuple(spec.measures),
        until=learner.epochs if _leaves_state(spec, begun) else None,
        parent=begun.parent,
        birth=None if begun.move == REMEASURED else begun.birth,
        ancestors=tuple(ancestors),
    )


def _learner(spec: SweepSpec, begun: PlannedTrial, replicates: int | None) -> LearnerConfig:
    """The configuration that a trial trains to its end."""
    grown = begun.birth.structure if begun.birth else {}
    learner = learner_for(spec, {**begun.suggestion.values, **grown})
    return learner if replicates is None else replace(learner, replicates=replicates)


def _numbered(spec: SweepSpec, begun: PlannedTrial) -> int:
    """The number that a trial's seeds are made of."""
    if begun.has_more_seeds and begun.parent is not None:
        return begun.parent  # the seeds that the leader had, and more
    if spec.search.evolution and spec.search.evolution.exploit == "paired":
        return 0  # replicates are compared in pairs of one seed
    if begun.birth is None or begun.move == REMEASURED:
        return begun.trial
    return begun.birth.founder


def _leaves_state(spec: SweepSpec, begun: PlannedTrial) -> bool:
    """Whether a trial's last state is kept, for children that are bred when it is over."""
    evolution = spec.search.evolution
    return evolution is not None and evolution.breeds and evolution.inherits and begun.move != REMEASURED
