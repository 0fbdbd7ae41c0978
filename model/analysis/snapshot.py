"""What trained networks are like at one time: their neurons, and their topology."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from model.analysis.evaluation import Evaluation
from model.analysis.tuning import Tuning
from model.arrays import Array
from model.border import kinds_checked
from model.network.cohort import Cohort
from model.topology import (
    MEASURES,
    Responses,
    centroid_and_width,
    communities,
    effective_dimension,
    last_axis_share,
    measures,
    radius,
    strongest_channel,
)


@dataclass(frozen=True)
class Neurons:
    """The neurons of R networks after `epoch` epochs; spikes are those of an evaluation."""

    epoch: int
    neuron_id: Array
    """[R, N]: what tells neurons apart where their places change; see `Cohort`."""
    layer: Array
    """[R, N]: the layer of each neuron, from 0."""
    positions: Array | None
    """[R, N, D] (units of space); None without positions."""
    radius: Array
    """[R, N]: distance from the mean of the positions (units of space); NaN without positions."""
    rate: Array
    """[R, N]: spikes a sample."""
    preferred_class: Array
    """[R, N]; -1 for a silent neuron."""
    selectivity: Array
    """[R, N]; NaN for a silent neuron."""
    preferred_time: Array
    """[R, N] (ms); NaN for a silent neuron."""
    preferred_channel: Array
    """[R, N]: input channel that the neuron follows most; -1 if it follows none."""
    field_centroid: Array
    """[R, N]: of the receptive field by spikes (channels); NaN if the neuron follows none."""
    field_width: Array
    """[R, N]: likewise."""
    input_centroid: Array
    """[R, N]: of the input weights above 0 (channels); NaN if none is, or the neuron hears no inputs."""
    input_width: Array
    """[R, N]: likewise."""
    module: Array
    """[R, N]: community of |w_rec|."""
    excitatory: Array | None = None
    """[R, N] (bool): whose weights are never below 0; None where weights have any sign."""
    adaptation: Array | None = None
    """[R, N]: how far a spike raises the threshold (units of the potential); None: neurons do not adapt."""
    tau_adaptation: Array | None = None
    """[R, N]: time constant of that (ms); None likewise."""
    tau_mem: Array | None = None
    """[R, N]: membrane time constant of each neuron (ms); None: they share that of the configuration."""
    tau_syn: Array | None = None
    """[R, N]: its synaptic time constant (ms); None likewise."""


@kinds_checked
def neurons_of(net: Cohort, evaluation: Evaluation, tuning: Tuning, epoch: int) -> Neurons:
    """The neurons of `net` as they are now, after `epoch` epochs, by their `evaluation` and `tuning`."""
    size = net.config.neurons
    responses = [Responses.of(counts, evaluation.labels, size) for counts in evaluation.counts]
    weights, masks = net.w_rec.detach().numpy(), net.mask.numpy()
    positions = net.positions.detach().numpy().copy() if net.has_positions else None
    by_spikes = [centroid_and_width(one) for one in tuning.fields]
    own = {name: each.detach().numpy().copy() for name, each in net.own_constants().items()}
    deaf = np.zeros((size - net.layers.hearing, net.w_in.shape[1]))
    by_weights = [
        centroid_and_width(np.concatenate([one.T, deaf])) for one in net.w_in.detach().double().numpy()
    ]
    return Neurons(
        epoch=epoch,
        neuron_id=net.neuron_id.numpy().copy(),
        layer=np.tile(net.layers.numbers, (net.replicates, 1)),
        positions=positions,
        radius=(
            np.full((net.replicates, size), np.nan)
            if positions is None
            else np.stack([radius(one.astype(np.float64)) for one in positions])
        ),
        rate=evaluation.rates,
        preferred_class=np.stack([one.preferred_class for one in responses]),
        selectivity=np.stack([one.selectivity for one in responses]),
        preferred_time=tuning.times,
        preferred_channel=np.stack([strongest_channel(one) for one in tuning.fields]),
        field_centroid=np.stack([centroid for centroid, _ in by_spikes]),
        field_width=np.stack([width for _, width in by_spikes]),
        input_centroid=np.stack([centroid for centroid, _ in by_weights]),
        input_width=np.stack([width for _, width in by_weights]),
        module=np.stack([communities(w, seed=0, mask=m) for w, m in zip(weights, masks, strict=True)]),
        excitatory=None if net.excitatory is None else net.excitatory.numpy().copy(),
        **own,
    )


@kinds_checked
def topology_of(
    net: Cohort,
    evaluation: Evaluation,
    tuning: Tuning,
    nulls: int = 0,
    compared: Collection[str] = MEASURES,
) -> dict[str, Array]:
    """Every topology measure of `net` by name, and the SHAPES of its positions, each [R].

    NaN where one is not defined.

    Args:
        net: the networks.
        evaluation: how they answer, for the measures that ask what neurons respond to.
        tuning: what the neurons follow.
        nulls: null networks that each is compared with.
        compared: the measures that are.
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
            fields=tuning.fields[r],
            times=tuning.times[r],
            compared=compared,
        )
        for r in range(net.replicates)
    ]
    shapes = {
        "effective_dimension": [math.nan if one is None else effective_dimension(one) for one in positions],
        "last_axis_share": [math.nan if one is None else last_axis_share(one) for one in positions],
    }
    return {name: np.array([one[name] for one in found]) for name in found[0]} | {
        name: np.array(values) for name, values in shapes.items()
    }
