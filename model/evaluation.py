"""How a cohort does on a data set, and what its neurons respond to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from model.cohort import Cohort
from model.datasets import SpikeDataset

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Evaluation:
    """Answers of R networks to S samples of O classes."""

    loss: Array
    """Mean cross-entropy [R] (nats)."""
    correct: Array
    """Which samples were classified right [R, S] (bool)."""
    class_counts: Array
    """Mean spikes a sample of each neuron for each class [R, N, O]; NaN for a class without samples."""
    rates: Array
    """Mean spikes a sample of each neuron [R, N]."""

    @property
    def accuracy(self) -> Array:
        """Share of samples classified right [R]; NaN without samples."""
        if self.correct.shape[1] == 0:
            return np.full(len(self.correct), np.nan)
        return np.asarray(self.correct.mean(1))

    @property
    def silent(self) -> Array:
        """Share of neurons without a single spike [R]."""
        return np.asarray((self.rates == 0).mean(1))


@torch.no_grad()
def evaluate(net: Cohort, data: SpikeDataset, batch: int = 256) -> Evaluation:
    """Run every sample of `data` through every network of `net`."""
    size, n = len(data), net.config.hidden
    losses = np.empty((net.replicates, size))
    correct = np.empty((net.replicates, size), bool)
    spikes = np.zeros((net.replicates, n, net.n_classes))
    for start in range(0, size, batch):
        chosen = np.arange(start, min(start + batch, size))
        labels = torch.from_numpy(data.labels[chosen])
        out = net(data, np.tile(chosen, (net.replicates, 1)))
        losses[:, chosen] = cross_entropy(out.logits, labels.expand(net.replicates, -1)).numpy()
        correct[:, chosen] = (out.logits.argmax(2) == labels).numpy()
        of_class = torch.nn.functional.one_hot(labels, net.n_classes).to(torch.float64)
        spikes += torch.einsum("rbn,bo->rno", out.counts.to(torch.float64), of_class).numpy()
    per_class = np.bincount(data.labels, minlength=net.n_classes).astype(float)
    per_class[per_class == 0] = np.nan
    return Evaluation(
        loss=losses.mean(1) if size else np.full(net.replicates, np.nan),
        correct=correct,
        class_counts=spikes / per_class,
        rates=spikes.sum(2) / max(1, size),
    )


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each sample [R, B] (nats), from `logits` [R, B, O] and `labels` [R, B]."""
    return torch.nn.functional.cross_entropy(logits.movedim(2, 1), labels, reduction="none")


def preferences(class_counts: Array) -> tuple[Array, Array]:
    """Preferred class [..., N] and selectivity [..., N] of neurons with mean `class_counts` [..., N, O].

    Selectivity = (r_max - r_rest) / (r_max + r_rest) from 0 to 1, with r_max the mean count for the
    preferred class and r_rest the mean over the other classes. A silent neuron has preferred class -1 and
    selectivity NaN.
    """
    present = ~np.isnan(class_counts).all(axis=tuple(range(class_counts.ndim - 1)))
    counts = class_counts[..., present]
    classes = np.flatnonzero(present)
    top = counts.max(-1)
    rest = (counts.sum(-1) - top) / max(1, classes.size - 1)
    silent = top == 0
    selectivity = np.divide(top - rest, top + rest, out=np.full(top.shape, np.nan), where=~silent)
    return np.where(silent, -1, classes[counts.argmax(-1)]), selectivity
