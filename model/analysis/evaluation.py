"""How networks answer to a data set: losses, right answers and spikes."""

from dataclasses import dataclass

import numpy as np
import torch

from model.arrays import Array
from model.border import kinds_checked, whole
from model.datasets import SpikeDataset
from model.kernels.simulate import uncompiled
from model.network.cohort import Cohort
from model.threads import one_torch_thread


@dataclass(frozen=True)
class Evaluation:
    """Answers of R networks to S samples of O classes."""

    loss: Array
    """Mean cross-entropy [R] (nats)."""
    answers: Array
    """The classes that were answered [R, S]."""
    counts: Array
    """Spikes of each neuron in each sample [R, S, N]."""
    labels: Array
    """The samples' classes [S], from 0 to O - 1."""

    @property
    def correct(self) -> Array:
        """Which samples were classified right [R, S] (bool)."""
        return np.asarray(self.answers == self.labels)

    @property
    def rates(self) -> Array:
        """Mean spikes a sample of each neuron [R, N]."""
        return np.asarray(self.counts.sum(1, dtype=float) / max(1, self.counts.shape[1]))

    @property
    def accuracy(self) -> Array:
        """Share of samples classified right [R]; NaN without samples."""
        if not len(self.labels):
            return np.full(len(self.answers), np.nan)
        return np.asarray(self.correct.mean(1))

    @property
    def silent(self) -> Array:
        """Share of neurons without a single spike [R]."""
        return np.asarray((self.rates == 0).mean(1))


@uncompiled
@kinds_checked
@torch.no_grad()
@one_torch_thread()
def evaluate(net: Cohort, data: SpikeDataset, batch: int = 256) -> Evaluation:
    """Run every sample of `data` through every network of `net`, `batch` of them at a time.

    Raises ValueError if the data has other channels than the networks, or a class that they do not know.
    """
    net.check_data(data)
    size, batch = len(data), whole(batch, "evaluate: `batch`", 1)
    if data.labels.max(initial=0) >= net.n_classes:
        raise ValueError(
            f"evaluate: `data` has a sample of class {data.labels.max()}, the networks know {net.n_classes} "
            "classes; load the data with `n_classes` of the training set"
        )
    losses = np.empty((net.replicates, size))
    answers = np.empty((net.replicates, size), np.int64)
    counts = np.empty((net.replicates, size, net.config.neurons), np.float32)
    for start in range(0, size, batch):
        chosen = np.arange(start, min(start + batch, size))
        labels = torch.from_numpy(data.labels[chosen])
        out = net(data, np.tile(chosen, (net.replicates, 1)))
        losses[:, chosen] = cross_entropy(out.logits, labels.expand(net.replicates, -1)).numpy()
        answers[:, chosen] = out.logits.argmax(2).numpy()
        counts[:, chosen] = out.counts.numpy()
    loss = losses.mean(1) if size else np.full(net.replicates, np.nan)
    return Evaluation(loss, answers, counts, data.labels)


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy of each sample [R, B] (nats), from `logits` [R, B, O] and `labels` [R, B].

    A share `smoothing` of each label is spread over all classes alike. Source: Szegedy et al. 2016,
    arXiv 1512.00567.
    """
    return torch.nn.functional.cross_entropy(
        logits.movedim(2, 1), labels, reduction="none", label_smoothing=smoothing
    )
