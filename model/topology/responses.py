"""What single neurons respond to: class, sample and time."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats, Ints
from model.border import as_array, kinds_checked
from model.datasets import SpikeDataset


@dataclass(frozen=True, eq=False)
class Responses:
    """Spikes of N neurons in S labelled samples, best of a test set."""

    counts: Floats
    """Spikes of each neuron in each sample, [S, N]."""
    labels: Ints
    """Class of each sample, [S]."""

    @classmethod
    @kinds_checked
    def of(cls, counts: ArrayLike, labels: ArrayLike, size: int) -> Self:
        """Responses of `size` neurons.

        Raises ValueError if the shapes do not agree, a count is negative or not finite, or a label is
        not a whole number of at least 0.
        """
        spikes, classes = as_array(counts, "`spikes`", np.float64), as_array(labels, "`labels`")
        if spikes.ndim != 2 or spikes.shape[1] != size:
            raise ValueError(f"`spikes` has the shape {spikes.shape}, expected [S, {size}], a count a neuron")
        if classes.shape != (len(spikes),):
            raise ValueError(f"`labels` has the shape {classes.shape}, expected [{len(spikes)}], one each")
        if not (np.isfinite(spikes) & (spikes >= 0)).all():
            raise ValueError("`spikes` holds a value that is no count; expected numbers of at least 0")
        if classes.size and (classes.dtype.kind not in "iu" or classes.min() < 0):
            raise ValueError("`labels` holds what is no class; expected whole numbers of at least 0")
        return cls(spikes, classes.astype(np.int64))

    @cached_property
    def class_counts(self) -> Floats:
        """Mean spikes of each neuron in the samples of each class, [N, O], O the classes that occur."""
        present, place = np.unique(self.labels, return_inverse=True)
        member = np.equal.outer(np.arange(len(present)), place).astype(np.float64)
        means: Floats = (member @ self.counts / member.sum(1, keepdims=True)).T
        return means

    @cached_property
    def preferred_class(self) -> Ints:
        """Class with the highest mean count of each neuron, [N]; -1 if it is silent."""
        if not self.counts.size:
            return np.full(self.counts.shape[1], -1)
        preferred = _preferences(self.class_counts)[0]
        return np.where(preferred < 0, -1, np.unique(self.labels)[preferred])

    @cached_property
    def rate(self) -> Floats:
        """Mean spikes a sample of each neuron, [N]; NaN without samples."""
        if not len(self.counts):
            return np.full(self.counts.shape[1], np.nan)
        mean: Floats = self.counts.mean(0)
        return mean

    @cached_property
    def class_profile(self) -> Floats:
        """`class_counts` over the neuron's mean of them, [N, O]; NaN for a silent neuron."""
        return _over_mean(self.class_counts) if self.counts.size else np.zeros((self.counts.shape[1], 0))

    @cached_property
    def sample_profile(self) -> Floats:
        """Spikes in each sample over the neuron's mean of them, [N, S]; NaN for a silent neuron."""
        return _over_mean(self.counts.T) if self.counts.size else np.zeros((self.counts.shape[1], 0))

    @cached_property
    def selectivity(self) -> Floats:
        """Class selectivity of each neuron, [N], see `selectivity`; NaN if silent, or with one class."""
        if not self.counts.size or self.class_counts.shape[1] < 2:
            return np.full(self.counts.shape[1], np.nan)
        return _preferences(self.class_counts)[1]

    def shuffled(self, rng: np.random.Generator) -> Self:
        """The same responses with the labels in random order."""
        return replace(self, labels=rng.permutation(self.labels))


def _over_mean(counts: Floats) -> Floats:
    """Each row of `counts` [N, F] over its mean; NaN if that is 0."""
    mean = counts.mean(1, keepdims=True)
    shares: Floats = np.divide(counts, mean, out=np.full(counts.shape, np.nan), where=mean > 0)
    return shares


def _preferences(class_counts: Floats) -> tuple[Ints, Floats]:
    """Place of the preferred class [N] (-1 for a silent neuron) and selectivity [N] (NaN for one)."""
    top = class_counts.max(1)
    rest = (class_counts.sum(1) - top) / max(1, class_counts.shape[1] - 1)
    silent = top == 0
    selectivity: Floats = np.divide(top - rest, top + rest, out=np.full(top.shape, np.nan), where=~silent)
    return np.where(silent, -1, class_counts.argmax(1)), selectivity


def selectivity(responses: Responses) -> float:
    """Mean over the neurons that spike of the class selectivity (r_max - r_rest) / (r_max + r_rest).

    r_max is the mean count for the preferred class, r_rest the mean over the other classes of theirs. Range:
    0 (all classes alike) to 1 (spikes for one class alone). With few samples a class it is above 0 by chance:
    see its null, with shuffled labels. NaN if all neurons are silent or there are less than two classes.

    Source: Morcos, Barrett, Rabinowitz, Botvinick, "On the importance of single directions for
    generalization", ICLR 2018, arXiv 1803.06959.
    """
    defined = responses.selectivity[~np.isnan(responses.selectivity)]
    return float(defined.mean()) if defined.size else math.nan


@kinds_checked
def preferred_time(hidden: SpikeDataset) -> Floats:
    """Mean time (ms) of the spikes of each neuron in all samples, [N]; NaN if it is silent.

    hidden: the spikes of the network; its channels are the neurons.
    """
    neurons = hidden.channels.flat
    number = np.bincount(neurons, minlength=hidden.n_channels)
    total = np.bincount(neurons, hidden.times.flat, hidden.n_channels)
    mean: Floats = np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0)
    return mean
