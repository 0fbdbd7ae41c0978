"""What a trained network loses without some of its neurons, against as many neurons drawn at random."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from model.analysis.evaluation import evaluate
from model.analysis.snapshot import Neurons
from model.arrays import Array, Floats, Ints
from model.border import as_array, kinds_checked, whole
from model.datasets import SpikeDataset
from model.fields import show
from model.network.cohort import Cohort

Choice = Literal["cluster", "module", "band"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
"""What the neurons of a set share: their place, their community, or the channels that they follow."""
PLACES, BANDS = 4, 4
"""Clusters of positions, and bands of channels of equal width: two for each half of the channels."""
RANDOM = 20
"""Random sets of the same size that each set is compared with."""


@dataclass(frozen=True)
class NeuronSet:
    """Neurons of one network that are taken out together."""

    kind: Choice
    number: int
    """Of the cluster, the community as in `Neurons.module`, or the band, from 0."""
    members: Ints
    """Their numbers, ascending."""


@dataclass(frozen=True)
class Scores:
    """How a network with S samples answers, intact or not. O classes, P parts."""

    accuracy: float
    by_class: Floats
    """[O]; NaN for a class without samples."""
    by_part: Floats
    """[P]: the share of samples of which that part is right."""

    def spread(self, intact: "Scores", over: Literal["class", "part"]) -> float:
        """Standard deviation, over classes or parts, of what is lost against `intact`; NaN without samples.

        It is 0 for a loss that is the same everywhere, and the greater the more the loss picks.
        """
        name = f"by_{over}"
        lost = getattr(intact, name) - getattr(self, name)
        lost = lost[~np.isnan(lost)]
        return float(lost.std()) if len(lost) else np.nan


@dataclass(frozen=True)
class Lesion:
    """What one network answers with its set `gone`, and with each of K random sets of its size."""

    gone: NeuronSet
    intact: Scores
    without: Scores
    random: tuple[Scores, ...]


def chance(value: float, random: Sequence[float]) -> tuple[float, float, float]:
    """Mean and standard deviation of `random` values, and how many of these `value` is above: z.

    z is NaN where the random values are all the same.

    >>> chance(5.0, [1.0, 3.0])
    (2.0, 1.4142135623730951, 2.1213203435596424)
    """
    mean, sd = float(np.mean(random)), float(np.std(random, ddof=1))
    return mean, sd, (value - mean) / sd if sd > 1e-12 else np.nan


@kinds_checked
def neuron_sets(neurons: Neurons, n_channels: int) -> list[list[NeuronSet]]:
    """The sets of each of the R networks of `neurons`, which are told `n_channels` channels.

    `cluster`: the PLACES clusters of positions found by Ward's method, the largest first; without positions
    there are none. `module`: the communities of |w_rec|. `band`: the neurons the centroid of whose receptive
    field is in one of BANDS runs of channels of equal width; a neuron that follows no channel is in none.

    A set of one neuron, or of all, is left out: it says nothing of its kind.
    """
    n_channels = whole(n_channels, "neuron_sets: `n_channels`", 1)
    found = []
    for r, rates in enumerate(neurons.rate):
        centroid = neurons.field_centroid[r]
        band = np.floor(np.nan_to_num(centroid + 0.5, nan=-n_channels) * BANDS / n_channels)
        labels: dict[Choice, Ints] = {
            "module": neurons.module[r],
            "band": band.astype(np.int64),
        }
        if neurons.positions is not None:
            labels = {"cluster": _clusters(neurons.positions[r]), **labels}
        found.append([one for kind, label in labels.items() for one in _sets(kind, label, len(rates))])
    return found


def _sets(kind: Choice, labels: Ints, size: int) -> list[NeuronSet]:
    """The sets of equal label, those below 0 left out."""
    sets = [NeuronSet(kind, int(k), np.flatnonzero(labels == k)) for k in np.unique(labels[labels >= 0])]
    return [one for one in sets if 1 < len(one.members) < size]


def _clusters(positions: Array) -> Ints:
    """Cluster of each of the `positions` [N, D], from 0 for the largest, [N]."""
    if len(positions) < 2:
        return np.zeros(len(positions), np.int64)
    found = fcluster(linkage(positions.astype(np.float64), "ward"), PLACES, "maxclust")
    _, first, member, sizes = np.unique(found, return_index=True, return_inverse=True, return_counts=True)
    ranks = np.empty(len(sizes), np.int64)
    ranks[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    clusters: Ints = ranks[member]
    return clusters


@kinds_checked
def lesioned(net: Cohort, gone: Array) -> Cohort:
    """A copy of `net` in which the neurons `gone` [R, N] (bool) hear nothing, and nothing hears them.

    Raises ValueError if `gone` is of another shape or no truth values.
    """
    chosen = as_array(gone, "lesioned: `gone`")
    if chosen.dtype != bool or chosen.shape != (net.replicates, net.config.neurons):
        wanted = f"true or false [{net.replicates}, {net.config.neurons}]"
        raise ValueError(f"lesioned: `gone`: got {show(gone)}, expected {wanted}")
    out = torch.from_numpy(chosen)
    left = copy.deepcopy(net)
    with torch.no_grad():
        left.w_in.masked_fill_(out[:, None, : net.layers.hearing], 0.0)
        left.w_out.masked_fill_(out[:, net.layers.heard, None], 0.0)
        left.mask.logical_and_(~(out[:, None, :] | out[:, :, None]))
    return left


@kinds_checked
def lesions(
    net: Cohort,
    data: SpikeDataset,
    sets: Sequence[Sequence[NeuronSet]],
    parts: Sequence[int] = (),
    count: int = RANDOM,
    seed: int = 0,
) -> list[list[Lesion]]:
    """What each network of `net` answers to `data` without each of its `sets`, one list a network.

    The random sets are the first neurons of `count` orders of all neurons, drawn by `seed` for each network:
    sets of one size share them, so that they are asked once. They are matched in size, not in rate.

    Args:
        net: trained networks; they are left as they are.
        data: the samples to be classified.
        sets: of each network, as `neuron_sets` finds them.
        parts: classes of each part of a sample, see `DataConfig.parts`; none if it has one label alone.
        count: random sets of each size.
        seed: draws them.

    Raises ValueError if there are other networks than lists of sets, the parts do not make up the classes, or
    `count` or `seed` is not legal.
    """
    count, seed = whole(count, "lesions: `count`", 2), whole(seed, "lesions: `seed`", 0)
    _check_asked(net, sets, parts)
    n = net.config.neurons
    orders = [
        [np.random.default_rng([seed, own, k]).permutation(n) for k in range(count)] for own in net.seeds
    ]
    wanted = [
        [np.empty(0, np.int64)]
        + [one.members for one in own]
        + [order[:size] for size in _sizes(own) for order in orders[r]]
        for r, own in enumerate(sets)
    ]
    answers = _answers(net, data, wanted)
    scores = [[score(one, data.labels, net.n_classes, parts) for one in own] for own in answers]
    return [_compared(own, found, count) for own, found in zip(sets, scores, strict=True)]


def _check_asked(net: Cohort, sets: Any, parts: Any) -> None:
    """Raise ValueError unless there is a list of sets a network, and `parts` make up the classes."""
    lists = isinstance(sets, list | tuple) and len(sets) == net.replicates
    if not lists or not all(isinstance(own, list | tuple) for own in sets):
        raise ValueError(
            f"lesions: `sets`: got {show(sets)}, expected {net.replicates} lists of sets, one a network"
        )
    if not all(isinstance(one, NeuronSet) for own in sets for one in own):
        raise ValueError("lesions: `sets`: holds something else than a NeuronSet; take those of neuron_sets")
    told = isinstance(parts, list | tuple) and all(type(one) is int and one > 0 for one in parts)
    if not told or (len(parts) and math.prod(parts) != net.n_classes):
        raise ValueError(
            f"lesions: `parts`: got {show(parts)}, expected numbers whose product is {net.n_classes}"
        )


def runs_of(sets: Sequence[Sequence[NeuronSet]], count: int = RANDOM) -> int:
    """How often `lesions` shows all samples to the networks."""
    return max(1 + len(own) + count * len(_sizes(own)) for own in sets)


def _sizes(sets: Sequence[NeuronSet]) -> list[int]:
    return sorted({len(one.members) for one in sets})


def _compared(sets: Sequence[NeuronSet], scores: list[Scores], count: int) -> list[Lesion]:
    """The lesions of one network, from the scores of all that was asked: intact, its sets, random sets."""
    intact, without, random = scores[0], scores[1 : 1 + len(sets)], scores[1 + len(sets) :]
    start = {size: k * count for k, size in enumerate(_sizes(sets))}
    starts = [start[len(one.members)] for one in sets]
    return [
        Lesion(one, intact, found, tuple(random[k : k + count]))
        for one, found, k in zip(sets, without, starts, strict=True)
    ]


def _answers(net: Cohort, data: SpikeDataset, wanted: list[list[Ints]]) -> list[list[Ints]]:
    """Answers [S] of each network without each of the sets that are wanted of it."""
    found: list[list[Ints]] = [[] for _ in wanted]
    for k in range(max(map(len, wanted))):
        gone = np.zeros((net.replicates, net.config.neurons), bool)
        asked = [r for r, own in enumerate(wanted) if k < len(own)]  # the others answer in vain
        for r in asked:
            gone[r, wanted[r][k]] = True
        answers = evaluate(lesioned(net, gone), data).answers
        for r in asked:
            found[r].append(answers[r])
    return found


def score(answers: Ints, labels: Ints, n_classes: int, parts: Sequence[int] = ()) -> Scores:
    """How right the `answers` [S] are to samples of `labels` [S]; `parts` as in `lesions`.

    >>> found = score(np.array([0, 1]), np.array([0, 3]), 4, (2, 2))
    >>> found.accuracy, found.by_class.tolist(), found.by_part.tolist()
    (0.5, [1.0, nan, nan, 0.0], [0.5, 1.0])
    """
    right = answers == labels
    each = np.bincount(labels, minlength=n_classes)
    hits = np.bincount(labels, right, minlength=n_classes)
    by_class = np.divide(hits, each, out=np.full(n_classes, np.nan), where=each > 0)
    by_part = []
    if len(parts):
        told, true = (np.array(np.unravel_index(one, tuple(parts))) for one in (answers, labels))
        by_part = (told == true).mean(1).tolist()
    return Scores(float(right.mean()), by_class, np.array(by_part))
