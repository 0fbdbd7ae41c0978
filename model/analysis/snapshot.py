"""What trained networks are like at one time: their neurons, and their topology."""

from dataclasses import dataclass

import numpy as np

from model.analysis.evaluation import Evaluation
from model.arrays import Array
from model.border import kinds_checked
from model.network.cohort import Cohort
from model.topology import Responses, communities, measures


@dataclass(frozen=True)
class Neurons:
    """The neurons of R networks after `epoch` epochs; spikes are those of an evaluation."""

    epoch: int
    positions: Array | None
    """[R, N, D] (units of space); None without positions."""
    rate: Array
    """[R, N]: spikes a sample."""
    preferred_class: Array
    """[R, N]; -1 for a silent neuron."""
    selectivity: Array
    """[R, N]; NaN for a silent neuron."""
    module: Array
    """[R, N]: community of |w_rec|."""


@kinds_checked
def neurons_of(net: Cohort, evaluation: Evaluation, epoch: int) -> Neurons:
    """The neurons of `net` as they are now, after `epoch` epochs, by their spikes in `evaluation` of it."""
    size = net.config.hidden
    responses = [Responses.of(counts, evaluation.labels, size) for counts in evaluation.counts]
    weights, masks = net.w_rec.detach().numpy(), net.mask.numpy()
    return Neurons(
        epoch=epoch,
        positions=net.positions.detach().numpy().copy() if net.has_positions else None,
        rate=evaluation.rates,
        preferred_class=np.stack([one.preferred_class for one in responses]),
        selectivity=np.stack([one.selectivity for one in responses]),
        module=np.stack([communities(w, seed=0, mask=m) for w, m in zip(weights, masks, strict=True)]),
    )


@kinds_checked
def topology_of(net: Cohort, evaluation: Evaluation, nulls: int = 0) -> dict[str, Array]:
    """Every topology measure of `net` by name, each [R]; NaN where it is not defined.

    Args:
        net: the networks.
        evaluation: how they answer, for the measures that ask what neurons respond to.
        nulls: null networks that each is compared with.
    """
    positions = net.positions.detach().numpy() if net.has_positions else [None] * net.replicates
    distances, masks = net.distances().detach().numpy(), net.mask.numpy()
    w_rec, w_in = net.w_rec.detach().numpy(), net.w_in.detach().numpy()
    found = [
        measures(
            w_rec[r],
            distances[r],
            positions=positions[r],
            w_in=w_in[r],
            spikes=evaluation.counts[r],
            labels=evaluation.labels,
            nulls=nulls,
            seed=0,
            mask=masks[r],
        )
        for r in range(net.replicates)
    ]
    return {name: np.array([one[name] for one in found]) for name in found[0]}
