"""The search for communities of strongly connected neurons."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import igraph
import numpy as np

from model.arrays import Floats, Ints

RUNS = 5  # the Leiden algorithm is greedy and random: the best of a few runs counts


class Partition(NamedTuple):
    """Neurons in communities."""

    members: Ints
    """Community of each neuron, [N], from 0 for the largest."""
    modularity: float
    """What the partition is worth, see `model.topology.modularity.modularity`; NaN without a synapse."""


def best_partition(strengths: Floats, seed: int) -> Partition:
    """The partition of greatest modularity found for directed `strengths` [N, N] of at least 0.

    A neuron without synapses is a community of its own.

    Source: Traag, Waltman, van Eck, Scientific Reports 9, 5233, 2019, doi:10.1038/s41598-019-41695-z.
    """
    if not strengths.any():
        return Partition(np.arange(len(strengths)), np.nan)
    weights = strengths / strengths.max()  # the modularity has no scale, but tiny weights would underflow
    gain = weights - np.outer(weights.sum(1), weights.sum(0)) / weights.sum()
    found = [(_worth(gain, members), members) for members in _leiden(weights, seed)]
    worth, members = max(found, key=lambda one: one[0])
    return Partition(_by_size(members), worth / float(weights.sum()))


def _leiden(weights: Floats, seed: int) -> list[Ints]:
    pre, post = np.nonzero(weights)
    edges = list(zip(pre.tolist(), post.tolist(), strict=True))
    graph = igraph.Graph(n=len(weights), edges=edges, directed=True)
    by_edge, leaving, reaching = weights[pre, post].tolist(), weights.sum(1).tolist(), weights.sum(0).tolist()
    with _igraph_seed(seed):
        runs = [
            graph.community_leiden(
                objective_function="modularity",
                weights=by_edge,
                node_weights=leaving,
                node_in_weights=reaching,  # without these the direction of a synapse would not count
                n_iterations=-1,  # until nothing improves
            )
            for _ in range(RUNS)
        ]
    return [np.array(run.membership, dtype=np.int64) for run in runs]


@contextmanager
def _igraph_seed(seed: int) -> Iterator[None]:
    """Let igraph draw from a stream of `seed`; it has one generator, by default the module `random`."""
    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)


def _worth(gain: Floats, members: Ints) -> float:
    return float(gain[np.equal.outer(members, members)].sum())


def _by_size(members: Ints) -> Ints:
    """The communities `members` numbered from the largest; equal ones in the order of their first neuron."""
    _, first, place, size = np.unique(members, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -size))
    return np.argsort(order)[place]
