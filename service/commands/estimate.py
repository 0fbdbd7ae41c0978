"""What a trial takes, from a few batches of it; and what a sweep takes, from a few of its trials."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from model.analysis.evaluation import evaluate
from model.analysis.layers import layers_of
from model.analysis.lesions import neuron_sets, runs_of
from model.analysis.pruning import ORDERS, SHARES
from model.analysis.snapshot import neurons_of, topology_of
from model.analysis.tuning import tuning_of
from model.datasets import SpikeDataset, Splits
from model.datasets.split import spread
from model.training.order import draws_in_epoch
from model.training.trainer import Trainer
from service.config.metrics import METRICS, TEST_METRICS
from service.record.leaders import PROBED
from service.report.leader_pages import ending_seconds
from service.worker.tables import (
    delay_graph_rows,
    graphs_of,
    layer_rows,
    measure_rows,
    neuron_rows,
    synapse_rows,
    trained_neurons,
)
from service.worker.task import Task, snapshot_epochs

BATCHES_SECONDS = 2.0
"""Batches are trained for about so long, and one at least."""
HELD_OUT = 256
"""Samples at most that the networks are asked about."""

# Of the service itself, as seen on the quickstart (2 cores): rough, but seldom most of a sweep's time.
START_SECONDS = 20.0
"""Until the first trial runs: Ray and MLflow start."""
WORKER_SECONDS = 2.5
"""Processor time until a worker has its first trial ready: libraries, kernels and data."""
TRIAL_SECONDS = 0.5
"""Processor time for each trial in the process that conducts the sweep, most of it for pictures."""
LEADING = 2 * PROBED
"""About how many trials have a page: the best PROBED, and a front of as many."""
LEADER_BYTES, PROBE_BYTES = 1_000_000, 1_500_000
"""What the page of a leading trial takes on disk, and what its networks do, of each of the very best."""
LIBRARY_BYTES = 4_700_000
"""What draws interactive pages: once in the sweep's folder, and in MLflow in each page of the very best."""
CURVES_BYTES = 140_000
"""Metrics of a trial in MLflow, beside links to its pictures."""
LESION_BYTES = 30
"""A row of the table `lesions`."""

T = TypeVar("T")


@dataclass(frozen=True)
class TrialCost:
    """What one trial takes, if it is not ended early and its networks spike as they do at the start."""

    batch: float
    """Time of a batch of all replicates: forward, backward and update (s)."""
    epoch: float
    """Time of an epoch, validation included (s)."""
    seconds: float
    """Time of the trial (s)."""
    cpu_seconds: float
    """Its processor time (s)."""
    table_bytes: int
    """Bytes of its rows in all tables."""
    network_bytes: int
    """Bytes of its trained networks."""
    picture_bytes: int
    """Bytes of its still pictures."""


@dataclass(frozen=True)
class SweepCost:
    """What trials take together."""

    seconds: float
    cpu_hours: float
    table_bytes: float
    network_bytes: float
    picture_bytes: float
    mlflow_bytes: float

    @property
    def folder_bytes(self) -> float:
        """What is stored in the sweep's folder."""
        return self.table_bytes + self.network_bytes + self.picture_bytes


def compile_kernels(task: Task, splits: Splits) -> None:
    """Do for as little as possible all that `measure_trial` does, so that it finds everything compiled."""
    measure_trial(replace(task, learner=replace(task.learner, hidden=4, batch_size=1, epochs=1)), splits)


def measure_trial(task: Task, splits: Splits) -> TrialCost:
    """Train a few batches of `task` on `splits` and take from them what the whole trial takes.

    Nothing is written. In a new process call `compile_kernels` first.
    """
    began, cpu = time.perf_counter(), time.process_time()
    trainer, starting = _timed(lambda: Trainer(task.learner, splits, task.seeds, task.threads))
    learner, validation = trainer.config, splits.validation
    shown = _some(validation if len(validation) else splits.train, HELD_OUT)
    held_out = shown.subset(slice(None if len(validation) else 0))
    _, answering = _timed(lambda: evaluate(trainer.net, shown))

    def train(batches: int) -> float:
        """Seconds for an epoch of some samples of training, without those for validation."""
        some = _some(splits.train, batches * learner.batch_size)
        trainer.splits = Splits(some, held_out, None)
        _, seconds = _timed(trainer.run_epoch)
        seconds -= answering if len(held_out) else 0.0
        return max(seconds, 1e-6) * len(some) / draws_in_epoch(learner, len(some))

    # Blends that are added make an epoch longer, but not the batches.
    batch = train(1)
    count = math.floor(min(BATCHES_SECONDS / batch, len(splits.train) / learner.batch_size))
    if count > 1:
        batch = train(count) / count
    snapshot, observing = _timed(lambda: _snapshot(task, trainer))

    answer = answering / max(1, len(shown))
    validating = len(validation) * answer
    epoch = draws_in_epoch(learner, len(splits.train)) / learner.batch_size * batch + validating
    snapshots = len(snapshot_epochs(learner.epochs, task.snapshots))
    testing = len(splits.test) * answer if splits.test is not None else 0.0
    runs, lesion_bytes = _lesions(task, trainer) if task.lesions else (0, 0)
    runs += len(ORDERS) * len(SHARES) if task.pruning else 0
    ending = testing + runs * (testing or validating)
    observing += _against_nulls(task, trainer)
    seconds = starting + learner.epochs * epoch + snapshots * observing + ending
    busy = (time.process_time() - cpu) / (time.perf_counter() - began)
    synapses = _stored(synapse_rows(task.trial, trainer)) if task.synapses else 0
    return TrialCost(
        batch=batch,
        epoch=epoch,
        seconds=seconds,
        cpu_seconds=seconds * busy,
        table_bytes=snapshots * sum(map(_stored, snapshot)) + synapses + lesion_bytes + _metrics_bytes(task),
        network_bytes=len(trainer.networks()),
        picture_bytes=_picture_bytes(learner.neurons),
    )


def sweep_cost(
    costs: Sequence[TrialCost], trials: float, at_once: int, spare: bool, networks: int
) -> SweepCost:
    """What `trials` trials take that are like those of `costs`, on average.

    Args:
        costs: of some trials, one at least.
        trials: how many there are; one with twice the replicates counts as two.
        at_once: how many run at the same time.
        spare: whether a core is left for the process that conducts the sweep.
        networks: trials at most whose networks are kept.
    """
    leading = min(trials, LEADING)
    each = fmean(cost.seconds for cost in costs) + (0.0 if spare else TRIAL_SECONDS)
    probed = min(trials, PROBED)
    pictures = trials * fmean(cost.picture_bytes for cost in costs)
    pictures += leading * LEADER_BYTES + probed * PROBE_BYTES + LIBRARY_BYTES
    return SweepCost(
        seconds=START_SECONDS + max(1.0, trials / at_once) * each + ending_seconds(round(leading)),
        cpu_hours=(at_once * WORKER_SECONDS + trials * fmean(cost.cpu_seconds for cost in costs)) / 3600,
        table_bytes=trials * fmean(cost.table_bytes for cost in costs),
        network_bytes=min(trials, networks) * fmean(cost.network_bytes for cost in costs),
        picture_bytes=pictures,
        mlflow_bytes=probed * (LEADER_BYTES + LIBRARY_BYTES) + trials * CURVES_BYTES,
    )


def _timed(act: Callable[[], T]) -> tuple[T, float]:
    """What `act` returns, and its duration (s)."""
    started = time.perf_counter()
    done = act()
    return done, time.perf_counter() - started


def _some(data: SpikeDataset, count: int) -> SpikeDataset:
    """Up to `count` samples, spread over the data."""
    return data.subset(spread(len(data), count))


def _snapshot(task: Task, trainer: Trainer) -> list[pa.Table]:
    """What the tables keep of the networks at one epoch."""
    net, observed, epoch = trainer.net, trainer.observed, trainer.epoch
    tuning = tuning_of(net, trainer.observed_on)
    graphs = graphs_of(net) if task.delay_graph else []
    tables = [
        neuron_rows(task.trial, neurons_of(net, observed, tuning, epoch)),
        measure_rows(task.trial, epoch, topology_of(net, observed, tuning), graphs),
    ]
    if len(net.layers.sizes) > 1:
        tables.append(layer_rows(task.trial, epoch, net, layers_of(net, observed, tuning)))
    return [*tables, delay_graph_rows(task.trial, epoch, graphs)] if graphs else tables


def _against_nulls(task: Task, trainer: Trainer) -> float:
    """Seconds to compare the networks of one epoch with nulls."""
    if not task.nulls:
        return 0.0
    net, observed = trainer.net, trainer.observed
    tuning = tuning_of(net, trainer.observed_on)
    _, alone = _timed(lambda: topology_of(net, observed, tuning))
    _, compared = _timed(lambda: topology_of(net, observed, tuning, nulls=1, compared=task.compared))
    return task.nulls * max(0.0, compared - alone)


def _lesions(task: Task, trainer: Trainer) -> tuple[int, int]:
    """How often the networks are asked for the table `lesions`, and the bytes of its rows."""
    net = trainer.net
    sets = neuron_sets(trained_neurons(trainer), net.n_channels)
    each = 1 + net.n_classes + len(task.data.parts)
    return runs_of(sets), LESION_BYTES * each * sum(map(len, sets))


def _stored(table: pa.Table) -> int:
    """Bytes of a table's columns in a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    group = pq.read_metadata(pa.BufferReader(sink.getvalue())).row_group(0)
    return sum(group.column(n).total_compressed_size for n in range(group.num_columns))


def _picture_bytes(neurons: int) -> int:
    """Bytes of a trial's still pictures: synapses are drawn one by one, until they fill the picture."""
    return min(140_000 + 80 * neurons**2, 850_000)


def _metrics_bytes(task: Task) -> int:
    """Bytes of a trial's rows in `epochs` and `trials`: numbers that hardly compress."""
    each = len(METRICS) - len(TEST_METRICS)
    return 8 * (each * task.learner.epochs * task.learner.replicates + 2 * len(METRICS))
