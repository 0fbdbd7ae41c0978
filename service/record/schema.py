"""The columns of every table, with their types and what they mean."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from model.topology.names import MEASURES
from search.domains import Choice, Domain, Int, Value
from search.space import Space
from service.config.metrics import BINARY, BINARY_SHARE, METRICS

TABLES = (
    "trials",
    "epochs",
    "neurons",
    "topology",
    "synapses",
    "pruning",
    "lesions",
    "delay_graph",
    "layers",
)

STATES = ("complete", "pruned", "failed", "timed_out", "cancelled")


def make_schemas(
    searched: Mapping[str, pa.DataType] | None = None,
    measure_names: Sequence[str] = (),
    deciding: Sequence[str] = (),
    changing: Sequence[str] = (),
) -> dict[str, pa.Schema]:
    """The schema of every table.

    Args:
        searched: column and type of every searched field; a trial in which a field is not active has null.
        measure_names: the measures of a network, columns of `topology`.
        deciding: those of them that are objectives or constraints, and so columns of `trials`, too.
        changing: fields that training may change, columns of `epochs`.
    """
    schemas = {
        "trials": _trials(searched or {}, deciding),
        "epochs": pa.schema([_trial(), _replicate(), _epoch(), *_metrics(), *map(_changing, changing)]),
        "neurons": pa.schema([_trial(), _replicate(), _epoch(), *_NEURON]),
        "topology": pa.schema([_trial(), _replicate(), _epoch(), *map(_measure, measure_names)]),
        "synapses": pa.schema([_trial(), _replicate(), *_SYNAPSE]),
        "pruning": pa.schema([_trial(), _replicate(), *_PRUNED]),
        "lesions": pa.schema([_trial(), _replicate(), _epoch(), *_LESION]),
        "delay_graph": pa.schema([_trial(), _replicate(), _epoch(), *_DELAY_GRAPH]),
        "layers": pa.schema([_trial(), _replicate(), _epoch(), *_LAYER, *map(_measure, MEASURES)]),
    }
    return {name: schemas[name] for name in TABLES}


def searched_columns(space: Space) -> dict[str, pa.DataType]:
    """Column and type of every searched field."""
    return {column_of(field.path): _type_of(field.domain) for field in space.fields}


def column_of(path: str) -> str:
    """The column of a searched field: its last name or, if `trials` has a column of that name, its path.

    The column `replicates` holds the searched value already.

    >>> column_of("learner.dimensions"), column_of("learner.epochs")
    ('dimensions', 'learner_epochs')
    """
    name = path.rpartition(".")[2]
    return path.replace(".", "_") if name in _OWN - {"replicates"} else name


def values_of(row: Mapping[str, Any], space: Space) -> dict[str, Value]:
    """The searched values, by path, in a row of `trials`."""
    values: dict[str, Value] = {}
    for field in space.fields:
        stored = row[column_of(field.path)]
        if isinstance(field.domain, Choice):  # its column may have one type for options of several
            stored = next((option for option in field.domain.options if option == stored), None)
        if stored is not None or (field.domain.has(None) and field.active(values)):
            values[field.path] = stored
    return values


def _type_of(domain: Domain) -> pa.DataType:
    if isinstance(domain, Int):
        return pa.int64()
    kinds = {type(value) for value in domain.ends() if value is not None}
    for kind, column in ((str, pa.string()), (bool, pa.bool_()), (int, pa.int64())):
        if kinds == {kind}:
            return column
    return pa.float64()


def _column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return pa.field(name, kind, metadata={"description": description})


def _key(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return _column(name, kind, description).with_nullable(False)


def _trial() -> pa.Field:
    return _key("trial", pa.int64(), "number of the trial, from 0")


def _replicate() -> pa.Field:
    return _key("replicate", pa.int32(), "number of the replicate in its trial, from 0")


def _epoch() -> pa.Field:
    return _key("epoch", pa.int32(), "finished passes over the training split, counted over all ancestors")


def _metrics() -> list[pa.Field]:
    return [_column(name, pa.float64(), description) for name, description in METRICS.items()]


def _measure(name: str) -> pa.Field:
    graph = f" (graph of the shortest {BINARY_SHARE:.0%} of the synapses)" if name in BINARY else ""
    return _column(name, pa.float64(), f"measure of the trained network{graph}; null where it is not defined")


def _changing(name: str) -> pa.Field:
    return _column(name, pa.float64(), "the field, as training has changed it; null where it is not learned")


def _trials(searched: Mapping[str, pa.DataType], deciding: Sequence[str]) -> pa.Schema:
    aggregated = METRICS | dict.fromkeys(deciding, "measure of the trained networks")
    aggregates = [
        *(_column(name, pa.float64(), f"{text}; mean over replicates") for name, text in aggregated.items()),
        *(_column(f"{name}_sem", pa.float64(), f"standard error of {name}") for name in aggregated),
    ]
    fields = [_column(name, kind, "searched field") for name, kind in searched.items() if name not in _OWN]
    return pa.schema([*_TRIAL, *fields, *aggregates, *_BIRTH, *_ORIGIN])


_TRIAL = [
    _trial(),
    _key("state", pa.string(), "how the trial ended: " + ", ".join(STATES)),
    _column("reason", pa.string(), "why it ended so, in words"),
    _column("duplicate_of", pa.int64(), "trial whose values this one has, without being run"),
    _column("parent", pa.int64(), "trial that this one was bred from"),
    _column("move", pa.string(), "how it was bred"),
    _column("replicates", pa.int32(), "networks trained side by side"),
    _column("epochs", pa.int32(), "finished passes over the training split"),
]

_BIRTH = [
    _column("move_values", pa.string(), "numbers of the move, and means at birth, as JSON"),
    _column("birth_epoch", pa.int32(), "epoch of the parent's networks that it was born from"),
    _column("generation", pa.int32(), "births on the way from the founder of its lineage"),
    _column("replaces", pa.int64(), "trial whose place in the population it has taken"),
]

_ORIGIN = [
    _column("sweep", pa.string(), "name of the sweep"),
    _column("seed", pa.int64(), "seed of the trial"),
    _column("config_hash", pa.string(), "hash of the trial's configuration"),
    _column("code_version", pa.string(), "version of the code that ran it"),
    _column("environment", pa.int64(), "entry of environments.json, from 0: package versions and more"),
    _column("node", pa.string(), "machine that ran it"),
    _column("cpu", pa.string(), "model of its processor"),
    _column("data_digest", pa.string(), "SHA-256 of training, validation and test data"),
    _column("dropped_spikes", pa.int64(), "training spikes that come after `duration`, and were left out"),
    _column("parameters", pa.int64(), "numbers that each network learns"),
    _column("cpu_seconds", pa.float64(), "processor time (s)"),
    _column("gpu_seconds", pa.float64(), "time on GPUs, times their number (s)"),
]

_OWN = {field.name for field in [*_TRIAL, *_BIRTH, *_ORIGIN]} | {
    *METRICS,
    *(f"{name}_sem" for name in METRICS),
}

_NEURON = [
    _key("neuron", pa.int32(), "number of the hidden neuron, from 0"),
    _column("neuron_id", pa.int64(), "its name for good, also where a network gains or loses neurons"),
    _column("layer", pa.int32(), "its layer, from 0"),
    _column(
        "position", pa.list_(pa.float32()), "coordinates, D of them (units of space); null without positions"
    ),
    _column("radius", pa.float64(), "distance from the mean position (units of space)"),
    _column("rate", pa.float64(), "spikes per sample"),
    _column("preferred_class", pa.int32(), "class with the highest mean response"),
    _column("selectivity", pa.float64(), "how much its response depends on the class, 0 to 1"),
    _column("preferred_time", pa.float64(), "mean time of its spikes (ms)"),
    _column("preferred_channel", pa.int32(), "input channel that it follows most"),
    _column("field_centroid", pa.float64(), "centroid of the channels that it follows (channels, from 0)"),
    _column("field_width", pa.float64(), "their standard deviation (channels)"),
    _column("input_centroid", pa.float64(), "centroid of its input weights above 0 (channels, from 0)"),
    _column("input_width", pa.float64(), "their standard deviation (channels)"),
    _column("module", pa.int32(), "community of the weight graph"),
    _column("excitatory", pa.bool_(), "whether it excites; null where weights have any sign"),
    _column("adaptation", pa.float32(), "how far a spike raises its threshold; null of a plain neuron"),
    _column("tau_adaptation", pa.float32(), "time constant with which it comes back (ms); null likewise"),
    _column("tau_mem", pa.float32(), "its own membrane time constant (ms); null where all share one"),
    _column("tau_syn", pa.float32(), "its own synaptic time constant (ms); null likewise"),
]

_SYNAPSE = [
    _key("pre", pa.int32(), "sending neuron"),
    _key("post", pa.int32(), "receiving neuron"),
    _column("weight", pa.float32(), "weight, in units of the threshold per spike"),
    _column("delay", pa.float32(), "delay (ms)"),
]

_PRUNED = [
    _key("by", pa.string(), "which synapses go first: magnitude (the weakest) or length (the longest)"),
    _key("share", pa.float64(), "share of the recurrent synapses that are taken out"),
    _column("accuracy", pa.float64(), "what is left on the test split, or on validation without one"),
]

_LESION = [
    _key(
        "kind",
        pa.string(),
        "what the neurons taken out share: cluster (of positions), module or band (of input channels); "
        "or random: nothing",
    ),
    _key("label", pa.int32(), "number of the cluster, module (as in `neurons`), band or draw, from 0"),
    _key("size", pa.int32(), "neurons taken out"),
    _column("class", pa.int32(), "class of the samples; null: all"),
    _column("part", pa.int32(), "part of the answer that is looked at, from 0; null: the whole"),
    _column("intact", pa.float64(), "accuracy of the whole network, on the test split or else validation"),
    _column("accuracy", pa.float64(), "accuracy without the neurons"),
    _column("random_mean", pa.float64(), "mean accuracy without as many neurons drawn at random"),
    _column("random_sd", pa.float64(), "standard deviation of the same over draws"),
    _column("z", pa.float64(), "accuracy less random_mean, over random_sd; below 0: they matter more"),
    _column("class_spread", pa.float64(), "how unequal the loss is over classes; in rows of all samples"),
    _column("class_spread_z", pa.float64(), "the same against the random sets"),
    _column("part_spread", pa.float64(), "how unequal the loss is over parts; in rows of all samples"),
    _column("part_spread_z", pa.float64(), "the same against the random sets"),
]

_LAYER = [
    _key("layer", pa.int32(), "number of the layer, from 0"),
    _column("neurons", pa.int32(), "its neurons"),
    _column("rate", pa.float64(), "spikes per neuron and sample"),
    _column("silent", pa.float64(), "share of its neurons without a spike"),
]

_DELAY_GRAPH = [
    _key("share", pa.float64(), "share of the recurrent synapses, the shortest, that make the graph"),
    _column("modularity", pa.float64(), "modularity of the graph, all weights 1"),
    _column("clustering", pa.float64(), "clustering coefficient of the graph, all weights 1"),
    _column("clustering_ratio", pa.float64(), "the same over that of random graphs"),
    _column("efficiency", pa.float64(), "global efficiency of the graph, all synapses 1 long"),
    _column("efficiency_ratio", pa.float64(), "the same over that of random graphs"),
]
