"""Names of fields, metrics and measures as they stand on an axis, with their units."""

from service.figures.cloud import Array

LABELS = {
    "accuracy": "validation accuracy",
    "loss": "validation loss (nats)",
    "train_accuracy": "training accuracy",
    "train_loss": "training loss (nats)",
    "test_accuracy": "test accuracy",
    "test_accuracy_seen": "test accuracy, known speakers",
    "test_accuracy_unseen": "test accuracy, new speakers",
    "wiring_length": "wiring length (units of space)",
    "sparsity": "sparsity (share of zero weights)",
    "rate": "rate (spikes per neuron and sample)",
    "silent": "silent neurons (share)",
    "seconds": "training time (s)",
    "parameters": "learned parameters of a network",
    "epoch": "epoch",
    "wiring_cost": "wiring cost λ",
    "delay_scale": "delay scale (ms per unit of space)",
    "dimensions": "dimensions of space",
    "hidden": "hidden neurons",
    "dt": "time step (ms)",
    "min_delay": "least delay (ms)",
    "duration": "duration (ms)",
    "tau_mem": "membrane time constant (ms)",
    "tau_syn": "synaptic time constant (ms)",
    "initial_rate": "initial rate (spikes per neuron and sample)",
    "target_rate": "target rate (spikes per sample)",
    "position_learning_rate": "position learning rate (units of space)",
    "augment_jitter": "augment jitter (ms)",
    "global_efficiency_binary": "global efficiency, binary",
    "weight_entropy": "weight entropy (bits)",
    "communicability_entropy": "communicability entropy (bits)",
    "input_position_r2": "input to position R², in sample",
    "input_position_r2_cv": "input to position R², cross-validated",
    "input_position_r2_null": "input to position R², in sample, by chance",
    "clustering_ratio": "clustering over that of chance",
    "global_efficiency_ratio": "global efficiency over that of chance",
    "efficiency_ratio": "global efficiency over that of chance",
    "share": "share of the synapses, the shortest",
    "selectivity": "class selectivity",
    "selectivity_moran": "Moran's I of selectivity",
    "module_space_ami": "modules and space, AMI",
    "module_class_ami": "modules and classes, AMI",
    "space_class_ami": "space and classes, AMI",
    "field_moran": "Moran's I of fields",
    "field_space_mantel": "Mantel correlation of fields",
    "centroid_moran": "Moran's I of field centroids",
    "input_moran": "Moran's I of input weights",
    "input_space_mantel": "Mantel correlation of input weights",
    "input_centroid_moran": "Moran's I of input centroids",
    "class_space_mantel": "Mantel correlation of class profiles",
    "response_space_mantel": "Mantel correlation of responses",
    "preferred_time_moran": "Moran's I of preferred time",
    "rate_moran": "Moran's I of rates",
    "radius_time_correlation": "radius and preferred time, rank correlation",
    "radius_rate_correlation": "radius and rate, rank correlation",
    "channel_place_spread": "spread of channels, by spikes",
    "input_channel_place_spread": "spread of channels, by weights",
}


def label(name: str) -> str:
    """What stands on the axis of a column.

    >>> label("delay_scale"), label("learning_rate"), label("modularity_z")
    ('delay scale (ms per unit of space)', 'learning rate', 'modularity, z')
    """
    if name in LABELS:
        return LABELS[name]
    if name.endswith("_z"):
        return f"{short(name.removesuffix('_z'))}, z"
    return name.replace("_", " ")


def short(name: str) -> str:
    """What stands on the axis of a column, without the unit.

    >>> short("delay_scale")
    'delay scale'
    """
    return label(name).partition(" (")[0]


def spans_decades(values: Array) -> bool:
    """Whether a logarithmic axis shows these values better.

    >>> import numpy as np
    >>> spans_decades(np.array([1e-3, 1.0])), spans_decades(np.array([0.0, 1.0]))
    (True, False)
    """
    return bool(values.min() > 0 and values.max() >= 30 * values.min())
