"""Rows of the tables that a trial reports of its networks."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from model.analysis.lesions import Lesion, chance, lesions, neuron_sets
from model.analysis.pruning import ORDERS, SHARES, pruning_curve
from model.analysis.snapshot import Neurons, neurons_of
from model.analysis.tuning import tuning_of
from model.arrays import Array
from model.datasets import SpikeDataset
from model.network.cohort import Cohort
from model.topology import DelayGraph, delay_graphs
from model.topology.delay_graph import SHARES as DELAY_GRAPH_SHARES
from model.training.trainer import Trainer
from service.config.metrics import BINARY, BINARY_SHARE
from service.record.schema import make_schemas


def neuron_rows(trial: int, neurons: Neurons) -> pa.Table:
    """Rows of the table `neurons`."""
    replicates, n = neurons.rate.shape
    positions = None
    if neurons.positions is not None:
        positions = neurons.positions.reshape(replicates * n, -1).astype(np.float32)
    columns = _keys(trial, replicates, n) | {
        "epoch": pa.array(np.full(replicates * n, neurons.epoch, np.int32)),
        "neuron": pa.array(np.tile(np.arange(n, dtype=np.int32), replicates)),
        "neuron_id": pa.array(neurons.neuron_id.reshape(-1)),
        "layer": pa.array(neurons.layer.reshape(-1).astype(np.int32)),
        "position": _lists(positions, replicates * n),
        "radius": _nullable(neurons.radius.reshape(-1)),
        "rate": pa.array(neurons.rate.reshape(-1)),
        "preferred_class": _numbered(neurons.preferred_class.reshape(-1)),
        "selectivity": _nullable(neurons.selectivity.reshape(-1)),
        "preferred_time": _nullable(neurons.preferred_time.reshape(-1)),
        "preferred_channel": _numbered(neurons.preferred_channel.reshape(-1)),
        "field_centroid": _nullable(neurons.field_centroid.reshape(-1)),
        "field_width": _nullable(neurons.field_width.reshape(-1)),
        "input_centroid": _nullable(neurons.input_centroid.reshape(-1)),
        "input_width": _nullable(neurons.input_width.reshape(-1)),
        "module": pa.array(neurons.module.reshape(-1)),
        "excitatory": (
            pa.nulls(replicates * n, pa.bool_())
            if neurons.excitatory is None
            else pa.array(neurons.excitatory.reshape(-1))
        ),
        "adaptation": _own(neurons.adaptation, replicates * n),
        "tau_adaptation": _own(neurons.tau_adaptation, replicates * n),
        "tau_mem": _own(neurons.tau_mem, replicates * n),
        "tau_syn": _own(neurons.tau_syn, replicates * n),
    }
    return pa.table(columns)


def graphs_of(net: Cohort) -> list[list[DelayGraph]]:
    """The graphs of the shortest delays of each network, by share."""
    delays, masks = net.delays().detach().numpy(), net.mask.numpy()
    return [delay_graphs(delays[r], masks[r]) for r in range(net.replicates)]


def measure_rows(
    trial: int, epoch: int, measures: dict[str, Array], graphs: Sequence[Sequence[DelayGraph]] = ()
) -> pa.Table:
    """Rows of the table `topology`; with `graphs` of `graphs_of`, also the columns of BINARY."""
    replicates = len(next(iter(measures.values())))
    columns = _keys(trial, replicates, 1) | {"epoch": pa.array([epoch] * replicates, pa.int32())}
    columns |= {name: _nullable(values) for name, values in measures.items()}
    if graphs:
        shown = [own[DELAY_GRAPH_SHARES.index(BINARY_SHARE)] for own in graphs]
        for column, field in BINARY.items():
            columns[column] = _nullable(np.array([getattr(one, field) for one in shown]))
    return pa.table(columns)


def layer_rows(trial: int, epoch: int, net: Cohort, found: dict[str, Array]) -> pa.Table:
    """Rows of the table `layers`, of what `layers_of` finds in `net`."""
    sizes = np.array(net.layers.sizes, np.int32)
    columns = _keys(trial, net.replicates, len(sizes))
    columns |= {
        "epoch": pa.array([epoch] * len(columns["trial"]), pa.int32()),
        "layer": pa.array(np.tile(np.arange(len(sizes), dtype=np.int32), net.replicates)),
        "neurons": pa.array(np.tile(sizes, net.replicates)),
    }
    return pa.table(columns | {name: _nullable(values.reshape(-1)) for name, values in found.items()})


def delay_graph_rows(trial: int, epoch: int, found: Sequence[Sequence[DelayGraph]]) -> pa.Table:
    """Rows of the table `delay_graph`, of graphs as `graphs_of` finds them."""
    names = DelayGraph._fields
    columns = _keys(trial, len(found), len(found[0]))
    columns |= {"epoch": pa.array([epoch] * len(columns["trial"]), pa.int32())}
    graphs = np.array(found).reshape(-1, len(names))
    return pa.table(columns | {name: _nullable(graphs[:, n]) for n, name in enumerate(names)})


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


def lesion_rows(trial: int, trainer: Trainer, parts: Sequence[int] = ()) -> pa.Table:
    """Rows of the table `lesions`: accuracy on held-out samples without sets of neurons, random ones at last.

    parts: classes of each part of a sample, see `DataConfig.parts`.
    """
    net, neurons = trainer.net, trained_neurons(trainer)
    found = lesions(net, trainer.splits.held_out[1], neuron_sets(neurons, net.n_channels), parts)
    rows = [
        {"trial": trial, "replicate": r, "epoch": neurons.epoch, **row}
        for r, own in enumerate(found)
        for one in own
        for row in _lesion_rows(one)
    ]
    rows += [
        {"trial": trial, "replicate": r, "epoch": neurons.epoch, **row}
        for r, own in enumerate(found)
        for row in _random_rows(own)
    ]
    return pa.Table.from_pylist(rows, make_schemas()["lesions"])


def trained_neurons(trainer: Trainer) -> Neurons:
    """The neurons of the networks as they are now."""
    tuning = tuning_of(trainer.net, trainer.observed_on)
    return neurons_of(trainer.net, trainer.observed, tuning, trainer.epoch)


def _lesion_rows(one: Lesion) -> Iterator[dict[str, Any]]:
    """The rows of one set: of all samples, of each class and of each part."""
    key = {"kind": one.gone.kind, "label": one.gone.number, "size": len(one.gone.members)}
    spreads: dict[str, float | None] = {}
    for over in ("class", "part") if len(one.intact.by_part) else ("class",):
        random = [scores.spread(one.intact, over) for scores in one.random]
        spread = one.without.spread(one.intact, over)
        spreads |= {f"{over}_spread": _known(spread), f"{over}_spread_z": _known(chance(spread, random)[2])}
    accuracies = [scores.accuracy for scores in one.random]
    yield key | _accuracies(one.intact.accuracy, one.without.accuracy, accuracies) | spreads
    for column, of in (("class", attrgetter("by_class")), ("part", attrgetter("by_part"))):
        intact, without, drawn = of(one.intact), of(one.without), np.array([of(each) for each in one.random])
        for k in np.flatnonzero(~np.isnan(intact)).tolist():
            yield key | {column: k} | _accuracies(intact[k], without[k], drawn[:, k].tolist())


def _random_rows(found: Sequence[Lesion]) -> Iterator[dict[str, Any]]:
    """The rows of the random sets that those of one network were compared with, which share them by size."""
    for size, one in sorted({len(one.gone.members): one for one in found}.items()):
        for k, scores in enumerate(one.random):
            accuracies = {"intact": one.intact.accuracy, "accuracy": scores.accuracy}
            yield {"kind": "random", "label": k, "size": size, **accuracies}


def _accuracies(intact: float, without: float, random: Sequence[float]) -> dict[str, float | None]:
    """Accuracy with and without the neurons, beside that without as many `random` ones."""
    mean, sd, z = chance(without, random)
    values = {"intact": intact, "accuracy": without, "random_mean": mean, "random_sd": sd, "z": z}
    return {name: _known(value) for name, value in values.items()}


def _keys(trial: int, replicates: int, each: int) -> dict[str, pa.Array]:
    return {
        "trial": pa.array(np.full(replicates * each, trial)),
        "replicate": pa.array(np.repeat(np.arange(replicates, dtype=np.int32), each)),
    }


def _own(values: Array | None, count: int) -> pa.Array:
    """What each neuron has of its own; nulls where its model has no such thing."""
    return pa.nulls(count, pa.float32()) if values is None else pa.array(values.reshape(-1), pa.float32())


def _lists(rows: Array | None, count: int) -> pa.Array:
    """Rows of numbers as lists; nulls if there are none."""
    if rows is None:
        return pa.nulls(count, pa.list_(pa.float32()))
    offsets = np.arange(count + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(rows.reshape(-1)))


def _numbered(values: Array) -> pa.Array:
    """Numbers from 0, with null for -1."""
    return pa.array(values, mask=values < 0)


def _nullable(values: Array) -> pa.Array:
    """Numbers, with null for what is not defined."""
    return pa.array(values, mask=np.isnan(values))


def _known(value: float) -> float | None:
    """A number, or None for what is not defined."""
    return None if np.isnan(value) else float(value)
