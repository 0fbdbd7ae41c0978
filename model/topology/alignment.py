"""Whether communities of the weights, places in space and preferred classes group the same neurons."""

import math

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from model.arrays import Floats, Ints
from model.topology.network import Network


def module_space_ami(network: Network, positions: Floats) -> float:
    """Adjusted mutual information of the communities of the weights and clusters of `positions` [N, D].

    The clusters are Ward's, as many as there are communities; neurons without a synapse of non-zero weight
    are left out. Range: about 0 (as by chance) to 1 (the same groups), at times just below 0. NaN where one
    of the two is a single group, or every neuron its own: without synapses, or with all neurons in one place.

    Sources: Vinh, Epps, Bailey, JMLR 11, 2837, 2010 (adjusted mutual information); Ward, JASA 58, 236, 1963,
    doi:10.1080/01621459.1963.10500845 (clusters).
    """
    chosen = network.connected
    return adjusted_mutual_information(network.partition.members[chosen], _clusters(network, positions))


def module_class_ami(network: Network, preferred_class: Ints) -> float:
    """Adjusted mutual information of the communities of the weights and the preferred classes [N].

    Range and NaN as for `module_space_ami`. Silent neurons, of class -1, and those without a synapse of
    non-zero weight are left out.
    """
    chosen = network.connected & (preferred_class >= 0)
    return adjusted_mutual_information(network.partition.members[chosen], preferred_class[chosen])


def space_class_ami(network: Network, positions: Floats, preferred_class: Ints) -> float:
    """Adjusted mutual information of the clusters of `positions` and the preferred classes [N].

    Clusters, range and NaN as for `module_space_ami`, silent neurons as for `module_class_ami`.
    """
    clusters, preferred = _clusters(network, positions), preferred_class[network.connected]
    chosen = preferred >= 0
    return adjusted_mutual_information(clusters[chosen], preferred[chosen])


def _clusters(network: Network, positions: Floats) -> Ints:
    """Spatial cluster of every connected neuron, as many as these have communities."""
    places = positions[network.connected]
    if len(places) < 2:
        return np.zeros(len(places), dtype=np.int64)
    wanted = len(np.unique(network.partition.members[network.connected]))
    return np.asarray(fcluster(linkage(pdist(places), "ward"), wanted, "maxclust"), dtype=np.int64)


def adjusted_mutual_information(first: Ints, second: Ints) -> float:
    """Adjusted mutual information of two groupings [N] of neurons.

    NaN if one of them is a single group, or every neuron its own.
    """
    # Here, since it takes a second to import.
    from sklearn.metrics import adjusted_mutual_info_score

    groups = [len(np.unique(one)) for one in (first, second)]
    if min(groups) < 2 or max(groups) == len(first):
        return math.nan
    return float(adjusted_mutual_info_score(first, second))
