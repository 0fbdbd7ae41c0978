"""What each layer of trained networks is like by itself: who fires, and its topology."""

from typing import Any

import numpy as np

from model.analysis.evaluation import Evaluation
from model.analysis.tuning import Tuning
from model.arrays import Array
from model.border import kinds_checked
from model.network.cohort import Cohort
from model.topology import MEASURES, measures

OWN = ("rate", "silent")
"""What is told besides measures: mean spikes a neuron and sample, and the share of neurons never firing."""


@kinds_checked
def layers_of(net: Cohort, evaluation: Evaluation, tuning: Tuning) -> dict[str, Array]:
    """What OWN and MEASURES name of each layer of `net`, each [R, L]; NaN where it is not defined.

    The graph of a layer is that of the synapses within it: without `recurrent` all that is of graphs is NaN.
    What depends on inputs is NaN for a layer that hears none. They are not compared with nulls.

    Args:
        net: the networks.
        evaluation: how they answer.
        tuning: what the neurons follow.
    """
    found = [
        [_layer(net, evaluation, tuning, r, own) for own in net.layers.members] for r in range(net.replicates)
    ]
    return {name: np.array([[one[name] for one in row] for row in found]) for name in (*OWN, *MEASURES)}


def _layer(net: Cohort, evaluation: Evaluation, tuning: Tuning, r: int, own: slice) -> dict[str, float]:
    """One layer of network `r`."""
    hears = own.start < net.layers.hearing
    known: dict[str, Any] = {
        "positions": net.positions[r, own].detach().numpy() if net.has_positions else None,
        "w_in": net.w_in[r, :, own].detach().numpy() if hears else None,
        "spikes": evaluation.counts[r][:, own],
        "labels": evaluation.labels,
        "fields": tuning.fields[r, own],
        "times": tuning.times[r, own],
        "mask": net.mask[r, own, own].numpy(),
    }
    weights, distances = net.w_rec[r, own, own], net.distances()[r, own, own]
    rates = evaluation.rates[r, own]
    values = measures(weights.detach().numpy(), distances.detach().numpy(), nulls=0, **known)
    return {"rate": float(rates.mean()), "silent": float((rates == 0).mean()), **values}
