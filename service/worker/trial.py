"""One trial: trains a cohort and reports every epoch. Knows nothing of Ray, nor of who listens."""

import platform
import resource
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.analysis.lesions import ORDERS, SHARES, pruning_curve
from model.config import LearnerConfig
from model.datasets import DataConfig, SpikeDataset, Splits, load_splits
from model.network.checkpoint import CheckpointError
from model.network.cohort import Cohort
from model.training.trainer import Array, Neurons, Trainer
from service.record.provenance import cpu_model, data_digest
from service.storage.atomic import UnwritableError, checkpoint_file, network_file, write_whole
from service.storage.paths import Place


@dataclass(frozen=True)
class Task:
    """What a trial is to do, and where it keeps its files."""

    trial: int
    learner: LearnerConfig
    data: DataConfig
    seed: int
    folder: Place
    threads: int = 1
    checkpoint: float = 10.0
    """Seconds between two checkpoints."""
    may_stop: bool = False
    """Whether the trial may be stopped at any epoch; then its networks are kept at every epoch."""
    synapses: bool = False
    """Whether the table of synapses is wanted."""
    pruning: bool = False
    """Whether that of pruning curves is."""
    nulls: int = 0
    """Null networks that the trained networks are compared with."""
    snapshots: int | Collection[int] | None = None
    """See `snapshot_epochs`."""

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
    tables: dict[str, pa.Table] = field(default_factory=dict)
    """Rows for the tables `neurons`, `topology`, `synapses` and `pruning`."""
    done: bool = False
    failure: str | None = None
    """Why the trial cannot go on."""
    halt: str | None = None
    """Why no trial could go on: a file can't be written, which is no fault of the trial's."""
    origin: Origin = Origin()
    cpu_seconds: float = 0.0
    """Processor time since the last report."""
    memory: int = 0
    """Bytes of memory that the worker holds."""


def seed_of(*entropy: int) -> int:
    """A seed that depends on all of `entropy`, 32 bits."""
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def snapshot_epochs(epochs: int, wanted: int | Collection[int] | None = None) -> set[int]:
    """After which epochs neurons and topology are recorded; 0 is as drawn, and the last is always among them.

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


class Trial:
    """Runs a task from its start, or from the checkpoint that a former run of it has left."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._trainer: Trainer | None = None
        self._origin = Origin(platform.node(), cpu_model())
        self._saved_at = time.monotonic()
        self._cpu = time.process_time()

    def advance(self) -> Report:
        """Train for one epoch, and report. Raises nothing: what goes wrong is the report's `failure`."""
        try:
            if self._trainer is None:
                self._trainer = self._begin()
                self._origin = self._origin_of(self._trainer)
            else:
                self._save_if_due(self._trainer)
            return self._train(self._trainer)
        except UnwritableError as error:
            return self._report(self._trainer.epoch if self._trainer else 0, {}, halt=str(error))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            epoch = self._trainer.epoch if self._trainer else 0
            return self._report(epoch, {}, failure=reason)

    def _begin(self) -> Trainer:
        task = self.task
        splits = _splits(task.data)
        checkpoint = _read_checkpoint(task)
        if checkpoint is not None:
            # One that is damaged is no loss but of time: what was recorded is passed over.
            with suppress(CheckpointError):
                return Trainer.resume(checkpoint, splits, task.threads)
        return Trainer(task.learner, splits, task.seeds, task.threads)

    def _origin_of(self, trainer: Trainer) -> Origin:
        return replace(
            self._origin,
            data_digest=_digest(self.task.data),
            dropped_spikes=trainer.dropped_spikes,
            parameters=trainer.net.learned_parameters,
        )

    def _save_if_due(self, trainer: Trainer) -> None:
        # Only now, at the start of the next epoch, is the last report known to be recorded: a checkpoint
        # made before that could be ahead of the record, and an epoch would be missing there.
        if time.monotonic() >= self._saved_at + self.task.checkpoint:
            write_whole(checkpoint_file(self.task.folder, self.task.trial), trainer.checkpoint())
            self._saved_at = time.monotonic()

    def _train(self, trainer: Trainer) -> Report:
        task = self.task
        wanted = snapshot_epochs(trainer.config.epochs, task.snapshots)
        snapshots = [self._snapshot(trainer)] if trainer.epoch == 0 and 0 in wanted else []
        metrics = trainer.run_epoch()
        failure = trainer.fault(metrics)
        if failure is not None:
            return self._report(trainer.epoch, metrics, failure=failure)
        done = trainer.finished
        if done or trainer.epoch in wanted:
            snapshots.append(self._snapshot(trainer, task.nulls if done else 0))
        tables = {
            name: pa.concat_tables([one[name] for one in snapshots], promote_options="default")
            for name in next(iter(snapshots), {})
        }
        if done:
            metrics |= trainer.test()
            tables |= self._opted_for(trainer)
        if done or task.may_stop:
            write_whole(network_file(task.folder, task.trial), trainer.networks())
        return self._report(trainer.epoch, metrics, tables=tables, done=done)

    def _snapshot(self, trainer: Trainer, nulls: int = 0) -> dict[str, pa.Table]:
        """What the networks are like now."""
        trial = self.task.trial
        return {
            "neurons": neuron_rows(trial, trainer.neurons()),
            "topology": measure_rows(trial, trainer.epoch, trainer.topology(nulls)),
        }

    def _opted_for(self, trainer: Trainer) -> dict[str, pa.Table]:
        """Tables of the trained networks that are kept where they are asked for."""
        task, tables = self.task, {}
        if task.synapses:
            tables["synapses"] = synapse_rows(task.trial, trainer)
        if task.pruning:
            splits = trainer.splits
            held_out = splits.validation if splits.test is None else splits.test
            tables["pruning"] = pruning_rows(task.trial, trainer.net, held_out)
        return tables

    def _report(
        self,
        epoch: int,
        metrics: dict[str, Array],
        tables: dict[str, pa.Table] | None = None,
        done: bool = False,
        failure: str | None = None,
        halt: str | None = None,
    ) -> Report:
        before, self._cpu = self._cpu, time.process_time()
        return Report(
            trial=self.task.trial,
            epoch=epoch,
            metrics={name: values.tolist() for name, values in metrics.items()},
            tables=tables or {},
            done=done,
            failure=failure,
            halt=halt,
            origin=self._origin,
            cpu_seconds=self._cpu - before,
            memory=_resident(),
        )


def _read_checkpoint(task: Task) -> bytes | None:
    """That of a former run of the task, if there is one."""
    path = checkpoint_file(task.folder, task.trial)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        cure = "make it readable, then run the same command again"
        raise UnwritableError(f"{path}: can't be read ({error.strerror}); {cure}") from error


def _resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


@lru_cache(maxsize=2)
def _splits(config: DataConfig) -> Splits:
    """The data, loaded once in a process that runs many trials."""
    return load_splits(config)


@lru_cache(maxsize=2)
def _digest(config: DataConfig) -> str:
    """What tells whether they are still the same data, computed once as well."""
    return data_digest(_splits(config))


def neuron_rows(trial: int, neurons: Neurons) -> pa.Table:
    """Rows of the table `neurons`."""
    replicates, n = neurons.rate.shape
    preferred = neurons.preferred_class.reshape(-1)
    positions = None
    if neurons.positions is not None:
        positions = neurons.positions.reshape(replicates * n, -1).astype(np.float32)
    columns = _keys(trial, replicates, n) | {
        "epoch": pa.array(np.full(replicates * n, neurons.epoch, np.int32)),
        "neuron": pa.array(np.tile(np.arange(n, dtype=np.int32), replicates)),
        "position": _lists(positions, replicates * n),
        "rate": pa.array(neurons.rate.reshape(-1)),
        "preferred_class": pa.array(preferred, mask=preferred < 0),
        "selectivity": _nullable(neurons.selectivity.reshape(-1)),
        "module": pa.array(neurons.module.reshape(-1)),
    }
    return pa.table(columns)


def measure_rows(trial: int, epoch: int, measures: dict[str, Array]) -> pa.Table:
    """Rows of the table `topology`."""
    replicates = len(next(iter(measures.values())))
    columns = _keys(trial, replicates, 1) | {"epoch": pa.array([epoch] * replicates, pa.int32())}
    return pa.table(columns | {name: _nullable(values) for name, values in measures.items()})


def synapse_rows(trial: int, trainer: Trainer) -> pa.Table:
    """Rows of the table `synapses`: those that exist."""
    mask = trainer.net.mask.numpy()
    replicate, pre, post = mask.nonzero()
    columns = {
        "trial": np.full(len(pre), trial),
        "replicate": replicate,
        "pre": pre,
        "post": post,
        "weight": trainer.net.w_rec.detach().numpy()[mask],
        "delay": trainer.net.delays().detach().numpy()[mask],
    }
    return pa.table(columns)


def pruning_rows(trial: int, net: Cohort, data: SpikeDataset) -> pa.Table:
    """Rows of the table `pruning`: accuracy on `data` by order and share of the synapses taken out."""
    curves = {by: pruning_curve(net, data, by) for by in ORDERS}
    rows = [
        {"trial": trial, "replicate": r, "by": by, "share": share, "accuracy": float(accuracy)}
        for by, curve in curves.items()
        for share, values in zip(SHARES, curve, strict=True)
        for r, accuracy in enumerate(values)
    ]
    return pa.Table.from_pylist(rows)


def _keys(trial: int, replicates: int, each: int) -> dict[str, pa.Array]:
    return {
        "trial": pa.array(np.full(replicates * each, trial)),
        "replicate": pa.array(np.repeat(np.arange(replicates, dtype=np.int32), each)),
    }


def _lists(rows: Array | None, count: int) -> pa.Array:
    """Rows of numbers as lists; nulls if there are none."""
    if rows is None:
        return pa.nulls(count, pa.list_(pa.float32()))
    offsets = np.arange(count + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(rows.reshape(-1)))


def _nullable(values: Array) -> pa.Array:
    """Numbers, with null for what is not defined."""
    return pa.array(values, mask=np.isnan(values))
