"""One trial: trains a cohort and reports every epoch. Knows nothing of Ray, nor of who listens."""

import platform
import resource
import time
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from model.analysis.layers import layers_of
from model.analysis.snapshot import neurons_of, topology_of
from model.analysis.tuning import tuning_of
from model.arrays import Array
from model.datasets import DataConfig, Splits, load_splits
from model.network.checkpoint import CheckpointError
from model.threads import one_torch_thread
from model.training.trainer import Trainer
from service.record.provenance import cpu_model, data_digest
from service.storage.atomic import UnwritableError, write_whole
from service.storage.layout import checkpoint_file, network_file, state_file
from service.storage.paths import StoragePath
from service.worker.birth import BirthError, Births, Steps, born, grown
from service.worker.tables import (
    delay_graph_rows,
    graphs_of,
    layer_rows,
    lesion_rows,
    measure_rows,
    neuron_rows,
    pruning_rows,
    synapse_rows,
)
from service.worker.task import Origin, Report, Task, snapshot_epochs


class Trial:
    """Runs a task from its start, or from the checkpoint that a former run of it has left."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._trainer: Trainer | None = None
        self._origin = Origin(platform.node(), cpu_model())
        self._saved_at = time.monotonic()
        self._cpu = time.process_time()

    @one_torch_thread()
    def advance(self) -> Report:
        """Train for one epoch, and report. Raises nothing: what goes wrong is the report's `failure`."""
        try:
            if self._trainer is None:
                started = time.perf_counter()
                self._trainer, births, steps = self._begin()
                self._origin = self._origin_of(self._trainer)
                if births:
                    seconds = time.perf_counter() - started
                    return self._report_birth(self._trainer, births, steps, seconds)
            else:
                self._save_if_due(self._trainer)
            if self.task.ancestry:  # after the checkpoint, from which its networks are yet to move
                self._trainer = grown(self._trainer, self.task, _splits(self.task.data))
                self._origin = self._origin_of(self._trainer)
            return self._train(self._trainer)
        except BirthError as error:
            born_at = self.task.birth.epoch if self.task.birth else 0
            return self._report(self._trainer.epoch if self._trainer else born_at, {}, failure=str(error))
        except UnwritableError as error:
            return self._report(self._trainer.epoch if self._trainer else 0, {}, halt=str(error))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            epoch = self._trainer.epoch if self._trainer else 0
            return self._report(epoch, {}, failure=reason)

    def _begin(self) -> tuple[Trainer, Births, Steps]:
        """The trainer of the task; of a child that is just born its evaluations and what made it, too."""
        task = self.task
        splits = _splits(task.data)
        saved = [checkpoint_file(task.folder, task.trial)]
        if task.since is not None:
            saved.append(state_file(task.folder, task.trial, task.since))
        for path in saved:
            checkpoint = _read(path)
            # One that is damaged is no loss but of time: what was recorded is passed over.
            with suppress(CheckpointError):
                if checkpoint is not None:
                    return Trainer.resume(checkpoint, splits, task.threads), {}, []
        if task.birth is not None:
            return born(task, splits)
        first = task.ancestry[0].learner if task.ancestry else task.learner
        return Trainer(first, splits, task.seeds, task.threads), {}, []

    def _report_birth(self, trainer: Trainer, births: Births, steps: Steps, seconds: float) -> Report:
        """A child has been born, and has not trained yet: its snapshot is what training begins with."""
        metrics = births["before_jitter"] | {"seconds": [seconds] * self.task.learner.replicates}
        wanted = 0 in snapshot_epochs(trainer.config.epochs, self.task.snapshots)
        tables = self._snapshot(trainer)[0] if wanted else {}
        report = self._report(trainer.epoch, {})
        return replace(report, metrics=metrics, births=births, steps=steps, tables=tables)

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
        wanted = snapshot_epochs(task.learner.epochs, task.snapshots)
        snapshots = [self._snapshot(trainer)[0]] if trainer.epoch == 0 and 0 in wanted else []
        metrics = trainer.run_epoch()
        failure = trainer.fault(metrics)
        if failure is not None:
            return self._report(trainer.epoch, metrics, failure=failure)
        done = trainer.finished and all(one.until != trainer.epoch for one in task.ancestry)
        kept = trainer.take_best() if done else {}
        measures: dict[str, Array] = {}
        if done or trainer.epoch in wanted:
            snapshot, measures = self._snapshot(trainer)
            snapshots.append(snapshot)
        tables = {
            name: pa.concat_tables([one[name] for one in snapshots], promote_options="default")
            for name in next(iter(snapshots), {})
        }
        if done:
            metrics |= trainer.test()
            tables |= self._opted_for(trainer)
        paused = trainer.epoch == task.until and not done
        if trainer.epoch == task.until:  # before the report, so that what is decided by it finds the state
            write_whole(state_file(task.folder, task.trial, trainer.epoch), trainer.checkpoint())
        if done or paused or task.may_stop:
            write_whole(network_file(task.folder, task.trial), trainer.networks())
        deciding = {name: measures[name].tolist() for name in task.measures} if done else {}
        return replace(
            self._report(trainer.epoch, metrics),
            tables=tables,
            measures=deciding,
            kept={name: values.tolist() for name, values in kept.items()},
            done=done,
            paused=paused,
        )

    def _snapshot(self, trainer: Trainer) -> tuple[dict[str, pa.Table], dict[str, Array]]:
        """What the networks are like now, as rows of tables; and their measures, each [R]."""
        task, net, observed, epoch = self.task, trainer.net, trainer.observed, trainer.epoch
        tuning = tuning_of(net, trainer.observed_on)
        measures = topology_of(net, observed, tuning, task.nulls, task.compared)
        graphs = graphs_of(net) if task.delay_graph else []
        tables = {
            "neurons": neuron_rows(task.trial, neurons_of(net, observed, tuning, epoch)),
            "topology": measure_rows(task.trial, epoch, measures, graphs),
        }
        if len(net.layers.sizes) > 1:
            tables["layers"] = layer_rows(task.trial, epoch, net, layers_of(net, observed, tuning))
        if graphs:
            tables["delay_graph"] = delay_graph_rows(task.trial, epoch, graphs)
        return tables, measures

    def _opted_for(self, trainer: Trainer) -> dict[str, pa.Table]:
        """Tables of the trained networks that are kept where they are asked for."""
        task, tables = self.task, {}
        if task.synapses:
            tables["synapses"] = synapse_rows(task.trial, trainer)
        if task.pruning:
            tables["pruning"] = pruning_rows(task.trial, trainer.net, trainer.splits.held_out[1])
        if task.lesions:
            tables["lesions"] = lesion_rows(task.trial, trainer, task.data.parts)
        return tables

    def _report(
        self,
        epoch: int,
        metrics: dict[str, Array],
        failure: str | None = None,
        halt: str | None = None,
    ) -> Report:
        before, self._cpu = self._cpu, time.process_time()
        return Report(
            trial=self.task.trial,
            epoch=epoch,
            metrics={name: values.tolist() for name, values in metrics.items()},
            failure=failure,
            halt=halt,
            origin=self._origin,
            cpu_seconds=self._cpu - before,
            memory=_resident(),
        )


def _read(path: StoragePath) -> bytes | None:
    """What a former run of the task has left at `path`, if there is something."""
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
