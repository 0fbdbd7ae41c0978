"""The metrics of a trial, which are the columns of the tables and the names of objectives."""

METRICS: dict[str, str] = {
    "accuracy": "share of right answers on the validation split",
    "loss": "cross-entropy on the validation split",
    "train_accuracy": "share of right answers on the training split",
    "train_loss": "cross-entropy on the training split",
    "test_accuracy": "share of right answers on the test split, once, at the end",
    "test_accuracy_seen": "the same on speakers that the training split has, too",
    "test_accuracy_unseen": "the same on speakers that only the test split has",
    "wiring_length": "sum over recurrent synapses of |w| times length (units of space)",
    "sparsity": "share of recurrent synapses whose weight is zero",
    "rate": "spikes per hidden neuron and sample, on the validation split or without one in training",
    "silent": "share of hidden neurons without a spike there",
    "seconds": "wall time of training, all replicates side by side (s)",
}
"""Name of each metric and what it is, in one line."""

VALIDATION_METRICS = ("accuracy", "loss")
"""Not there where no samples are held out for validation."""

TEST_METRICS = ("test_accuracy", "test_accuracy_seen", "test_accuracy_unseen")
"""Measured once, when training is over, on samples that no choice may depend on."""

BINARY = {
    "binary_modularity": "modularity",
    "binary_clustering_ratio": "clustering_ratio",
    "binary_path_ratio": "efficiency_ratio",
}
"""Columns of `topology` with `record: {delay_graph: true}`, and the field of `DelayGraph` that each shows."""
BINARY_SHARE = 0.7
"""Of the synapses, the shortest, which make the graph of BINARY: the smallest of the paper's graphs."""
