"""What a worker is asked to do, and what it reports: messages, which load no torch."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from model.config import LearnerConfig
from model.datasets.config import DataConfig
from model.topology.names import MEASURES
from search.seeds import seed_of
from service.record.plan import Birth
from service.storage.paths import StoragePath


@dataclass(frozen=True)
class Ancestry:
    """A part of the lineage that a trial repeats from its founder on, with seeds of its own."""

    learner: LearnerConfig
    """What the networks are trained with,"""
    until: int
    """up to this epoch,"""
    steps: list[dict[str, Any]]
    """when they are moved by these steps, as they were planned."""


@dataclass(frozen=True)
class Task:
    """What a trial is to do, and where it keeps its files."""

    trial: int
    learner: LearnerConfig
    data: DataConfig
    seed: int
    folder: StoragePath
    threads: int = 1
    checkpoint: float = 10.0
    """Seconds between two checkpoints."""
    may_stop: bool = False
    """Whether the trial may be stopped at any epoch; then its networks are kept at every epoch."""
    synapses: bool = False
    """Whether the table of synapses is wanted."""
    pruning: bool = False
    """Whether the table of pruning curves is wanted."""
    lesions: bool = False
    """Whether the table of lesions is wanted."""
    delay_graph: bool = False
    """Whether the table of the graphs of the shortest delays is wanted."""
    nulls: int = 0
    """Null networks that the networks are compared with in every snapshot."""
    compared: tuple[str, ...] = MEASURES
    """Measures that are compared with them."""
    snapshots: int | Collection[int] | None = None
    """See `snapshot_epochs`."""
    measures: tuple[str, ...] = ()
    """Measures of the trained networks that are reported beside the metrics, because they decide."""
    until: int | None = None
    """The epoch at which its state is kept, and at which it pauses unless that is its end; None: it goes on
    to its end, and its state is not kept."""
    since: int | None = None
    """The epoch at which it paused last, from whose state it goes on; None: it never has."""
    parent: int | None = None
    """The trial that it is born from, if it is a child of a population."""
    birth: Birth | None = None
    """How it is born."""
    ancestry: tuple[Ancestry, ...] = ()
    """What its networks go through before they are trained with `learner`: of a child that is run again."""

    @property
    def seeds(self) -> list[int]:
        """One seed a replicate; a trial with more replicates has the same first ones."""
        return [seed_of(self.seed, replicate) for replicate in range(self.learner.replicates)]


@dataclass(frozen=True)
class Origin:
    """Where a trial runs, and on what; by columns of `trials`. None: it has not come so far."""

    node: str | None = None
    cpu: str | None = None
    data_digest: str | None = None
    dropped_spikes: int | None = None
    parameters: int | None = None


@dataclass(frozen=True)
class Report:
    """What a trial has to say after an epoch. Each metric has one value a replicate."""

    trial: int
    epoch: int
    metrics: dict[str, list[float]]
    measures: dict[str, list[float]] = field(default_factory=dict)
    """Measures of the trained networks, with the last report; NaN where one is not defined."""
    kept: dict[str, list[float]] = field(default_factory=dict)
    """Metrics of the networks that are kept, with the last report, if they are not those of its epoch."""
    tables: dict[str, pa.Table] = field(default_factory=dict)
    """Rows for the tables `neurons`, `topology`, `synapses`, `pruning`, `lesions`, `delay_graph` and
    `layers`."""
    done: bool = False
    paused: bool = False
    """Whether the trial waits at its ready epoch, its state on disk."""
    births: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Of a child that has just been born: its evaluation `before_jitter` and `after_jitter`, which differ if
    its move has one. The metrics are then those before, and nothing has been trained."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    """The steps of its move as they were applied, with all that was drawn and found on the way."""
    failure: str | None = None
    """Why the trial cannot go on."""
    halt: str | None = None
    """Why no trial could go on: a file can't be written, which is no fault of the trial's."""
    origin: Origin = Origin()
    cpu_seconds: float = 0.0
    """Processor time since the last report."""
    memory: int = 0
    """Bytes of memory that the worker holds."""


def snapshot_epochs(epochs: int, wanted: int | Collection[int] | None = None) -> set[int]:
    """After which epochs neurons and topology are recorded; the last is always among them.

    0 is as drawn, and of a child of a population as born, at whatever epoch that is.

    Args:
        epochs: of training.
        wanted: the epochs, or how many, at equal distances; None: as drawn, the first, the middle, the last.

    >>> snapshot_epochs(20), snapshot_epochs(20, 3), snapshot_epochs(20, [0, 5, 100])
    ({0, 1, 10, 20}, {0, 10, 20}, {0, 20, 5})
    """
    if wanted is None:
        return {0, 1, (epochs + 1) // 2, epochs}
    if isinstance(wanted, int):
        return {round(epochs * n / (wanted - 1)) for n in range(wanted - 1)} | {epochs}
    return {epoch for epoch in wanted if epoch < epochs} | {epochs}
