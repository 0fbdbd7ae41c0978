"""What a trial that was planned is to do: its task."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from model.config import LearnerConfig
from search.seeds import seed_of
from service.config.sweep import SweepSpec, data_for, learner_for
from service.record.lineage import Stage
from service.record.plan import PlannedTrial
from service.record.schema import make_schemas, searched_columns
from service.storage.paths import StoragePath
from service.worker.task import Ancestry, Task, snapshot_epochs


def schemas_of(spec: SweepSpec) -> dict[str, pa.Schema]:
    """The schemas of a sweep's tables."""
    columns = searched_columns(spec.space)
    return make_schemas(columns, spec.recorded_measures, spec.measures, spec.changing)


def make_task(
    spec: SweepSpec, folder: StoragePath, begun: PlannedTrial, lineage: Sequence[Stage] = ()
) -> Task:
    """What a trial that was begun is to do.

    Args:
        spec: the sweep.
        folder: of the sweep.
        begun: the trial.
        lineage: of the leader that it runs again with more seeds, from the founder on; none of others.

    Raises:
        ValueError: if its fields contradict each other.
    """
    values = begun.suggestion.values
    learner = _learner(spec, begun, lineage[-1].begun if lineage else begun)
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
        snapshots=_snapshots(spec),
        measures=tuple(spec.measures),
        until=learner.epochs if _leaves_state(spec, begun) else None,
        parent=begun.parent,
        birth=begun.birth,
        ancestry=tuple(
            Ancestry(_learner(spec, begun, one.begun), one.last, after.begun.birth.steps)
            for one, after in pairwise(lineage)
            if after.begun.birth is not None
        ),
    )


def _learner(spec: SweepSpec, begun: PlannedTrial, like: PlannedTrial) -> LearnerConfig:
    """What a trial is trained with as long as it repeats the trial `like`, which may be itself."""
    structure = like.birth.structure if like.birth else {}
    learner = learner_for(spec, {**like.suggestion.values, **structure})
    return learner if begun.replicates is None else replace(learner, replicates=begun.replicates)


def _snapshots(spec: SweepSpec) -> int | Collection[int] | None:
    """When snapshots are wanted; unless it is said, of a population at each ready epoch as well."""
    if spec.record.snapshots is not None or spec.search.evolution is None or not spec.open_ended:
        return spec.record.snapshots
    epochs = spec.learner.epochs
    return sorted(snapshot_epochs(epochs).union(range(0, epochs, spec.search.evolution.ready)))


def _numbered(spec: SweepSpec, begun: PlannedTrial) -> int:
    """The number that a trial's seeds are made of."""
    if begun.has_more_seeds and begun.parent is not None:
        # A lineage was chosen by its seeds, again and again: others alone say what it is worth.
        return begun.trial if spec.search.evolution else begun.parent  # else those that it had, and more
    if spec.search.evolution and spec.search.evolution.exploit == "paired":
        return 0  # replicates are compared in pairs of one seed
    return begun.trial if begun.birth is None else begun.birth.founder


def _leaves_state(spec: SweepSpec, begun: PlannedTrial) -> bool:
    """Whether a trial's last state is kept, for children that are bred when it is over."""
    evolution = spec.search.evolution
    return evolution is not None and evolution.breeds and evolution.inherits and not begun.has_more_seeds
