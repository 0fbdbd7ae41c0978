"""The graph of the shortest delays: who is near whom in time, whatever the weights are."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from model.border import real_array
from model.topology.clustering import clustering
from model.topology.modularity import modularity
from model.topology.network import Network
from model.topology.nulls import against_null
from model.topology.paths import global_efficiency_binary

SHARES = tuple(round(0.05 * n, 2) for n in range(1, 20))
"""Of the synapses, the shortest of which make a graph: those of the paper, and others around them."""
COMPARED = (clustering, global_efficiency_binary)
"""Measures that are compared with random graphs; the search for their communities would take far longer."""
RANDOM = 20
"""Random graphs that each is compared with."""


class DelayGraph(NamedTuple):
    """The binary graph of the shortest delays, against random graphs of as many synapses."""

    share: float
    """Of the synapses that exist."""
    modularity: float
    clustering: float
    clustering_ratio: float
    efficiency: float
    """`global_efficiency_binary`; the paper calls it path length."""
    efficiency_ratio: float


def delay_graphs(delays: ArrayLike, mask: ArrayLike | None = None, seed: int = 0) -> list[DelayGraph]:
    """The graphs of the shortest SHARES of the synapses, with weight 1 each, by share.

    delays: of the synapses, [N, N], of at least 0; row i leaves neuron i.
    mask: which synapses exist [N, N]; None: all but the diagonal.
    seed: of the random graphs, of the search for communities, and of which of equally long delays go first.

    The ratios are to the mean over RANDOM graphs that have as many synapses, anywhere among those that exist.
    A measure is NaN where that of `measures` is; so are all for a share that holds no synapse.

    A cloud's nearest neighbours are clustered and modular wherever its points lie: ratios above 1 do not
    tell that anything was learned. Compare with the networks as drawn, or with an embedding that is held.

    Source: Meszaros et al., 2025, arXiv 2511.01632, figures 6 and 9.

    Raises ValueError as `measures` does.
    """
    delays = real_array(delays, "`delays`", "N, N")
    network = Network.of(np.ones(delays.shape), delays, mask, seed)
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(network.exists)
    order = np.lexsort((rng.random(len(pre)), network.distances[pre, post]))
    found = []
    for share in SHARES:
        chosen = order[: round(share * len(order))]
        strengths = np.zeros_like(network.strengths)
        strengths[pre[chosen], post[chosen]] = 1
        found.append(_look(share, replace(network, strengths=strengths), rng))
    return found


def _look(share: float, graph: Network, rng: np.random.Generator) -> DelayGraph:
    random = [graph.shuffled(rng) for _ in range(RANDOM)]
    own = [measure(graph) for measure in COMPARED]
    nulls = [np.array([measure(one) for one in random]) for measure in COMPARED]
    ratios = [against_null(x, null)["ratio"] for x, null in zip(own, nulls, strict=True)]
    return DelayGraph(share, modularity(graph), own[0], ratios[0], own[1], ratios[1])
