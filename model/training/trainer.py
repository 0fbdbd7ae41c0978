"""Training of a cohort, one epoch at a time."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch

from model.analysis.evaluation import Evaluation, cross_entropy, evaluate
from model.arrays import Array
from model.augmentation import Augmentation, augment
from model.border import kinds_checked
from model.config import LearnerConfig
from model.datasets import SpikeDataset, Splits
from model.kernels.scheme import steps_of
from model.network.checkpoint import Best, pack, unpack
from model.network.cohort import Cohort, Output
from model.network.initialization import scale_inputs
from model.training.optimizer import clip_gradients, make_optimizer, rate_factor
from model.training.rate_cost import rate_cost, revive
from model.training.wiring_cost import positions_cost, prune, shrink_weights

ORDER_STREAM, AUGMENTATION_STREAM = 1000, 1001
"""Random streams of the order of samples and of their variation, apart from those of the parameters."""


@kinds_checked
def with_duration(config: LearnerConfig, train: SpikeDataset) -> LearnerConfig:
    """`config` with its duration set: by default up to the end of the step of the latest spike of `train`.

    >>> data = SpikeDataset.from_events([([2.5], [0])], [0], 1, 1)
    >>> with_duration(LearnerConfig(dt=1.0), data).duration
    3.0
    """
    if config.duration is not None:
        return config
    steps = int(steps_of(train.times.flat, config.dt).max(initial=0)) + 1
    return replace(config, duration=steps * config.dt)


class Trainer:
    """Trains the R networks of one configuration side by side.

    Everything random depends on a replicate's seed and the epoch alone. No replicate depends on another, but
    that with `patience` they end together, when their mean loss no longer falls. Training taken up from a
    checkpoint is training never stopped, bit for bit.
    """

    @kinds_checked
    def __init__(self, config: LearnerConfig, splits: Splits, seeds: Sequence[int], threads: int = 1) -> None:
        """Draw the networks and scale them to the data.

        Args:
            config: what to train; without a duration it is taken from the training set.
            splits: the data; without a test set there is no test accuracy.
            seeds: one a replicate, R of them.
            threads: threads of the kernels.
        """
        self.splits = splits
        config = with_duration(config, splits.train)
        train = splits.train
        net = Cohort(config, train.n_channels, train.n_classes, seeds, threads=threads)
        scale_inputs(net, train)
        self._begin(net, 0, Best())

    @classmethod
    @kinds_checked
    def resume(cls, checkpoint: bytes, splits: Splits, threads: int = 1) -> Self:
        """Take up training from `checkpoint`, made by `checkpoint()`.

        Raises:
            CheckpointError: if it is not one.
        """
        trainer = cls.__new__(cls)
        trainer.splits = splits
        net, epoch, moments, best = unpack(checkpoint, threads)
        trainer._begin(net, epoch, best)
        parameters = dict(net.named_parameters())
        for name, state in moments.items():
            trainer.optimizer.state[parameters[name]] = dict(state)
        return trainer

    def _begin(self, net: Cohort, epoch: int, best: Best) -> None:
        self.net, self.epoch = net, epoch
        self.best = best
        self.optimizer = make_optimizer(net, self.splits.train)
        self._recurrent = next(one for one in self.optimizer.param_groups if one["params"][0] is net.w_rec)
        self._augmentation = Augmentation.of(net.config)
        self._validated: tuple[int, Evaluation] | None = None

    @property
    def config(self) -> LearnerConfig:
        """The configuration that is trained, with its duration set."""
        return self.net.config

    @property
    def dropped_spikes(self) -> int:
        """Training spikes that come after the end of a sample, and are left out."""
        steps = steps_of(self.splits.train.times.flat, self.config.dt)
        return int((steps >= self.config.steps).sum())

    @property
    def validated(self) -> Evaluation:
        """The evaluation on the validation set after this epoch, made once an epoch, when first asked for."""
        if self._validated is None or self._validated[0] != self.epoch:
            self._validated = (self.epoch, evaluate(self.net, self.splits.validation))
        return self._validated[1]

    def checkpoint(self) -> bytes:
        """The networks with everything that `resume` needs, as bytes."""
        return pack(self.net, self.optimizer, self.epoch, self.best)

    def networks(self) -> bytes:
        """The networks alone as bytes, without what is needed to train on."""
        return pack(self.net, None, self.epoch, self.best)

    @property
    def finished(self) -> bool:
        """Whether training is over: all epochs are done, or validation has not improved for `patience`."""
        patience = self.config.patience
        waited = self.epoch - self.best.epoch
        return self.epoch >= self.config.epochs or (patience is not None and waited >= patience)

    def run_epoch(self) -> dict[str, Array]:
        """Train for one epoch; returns the metrics, each [R], and a delay scale that is learned, as one more.

        The caller asks `fault` before going on.
        """
        started = time.perf_counter()
        losses, correct = self._pass_over(self._orders())
        self.epoch += 1
        validated = self.validated
        self.best = self.best.update(self.epoch, float(validated.loss.mean()))
        with torch.no_grad():
            wiring_length, sparsity = self.net.wiring_length().numpy(), self.net.sparsity().numpy()
        metrics = {
            "loss": validated.loss,
            "accuracy": validated.accuracy,
            "train_loss": losses,
            "train_accuracy": correct,
            "wiring_length": wiring_length.astype(float),
            "sparsity": sparsity.astype(float),
            "rate": validated.rates.mean(1),
            "silent": validated.silent,
        }
        if self.config.learn_delay_scale:
            metrics["delay_scale"] = self.net.log_delay_scale.detach().double().exp().numpy()
        seconds = time.perf_counter() - started
        return metrics | {"seconds": np.full(self.net.replicates, seconds)}

    def fault(self, metrics: dict[str, Array]) -> str | None:
        """The first loss or parameter that is not finite, in words, or None."""
        for r in range(self.net.replicates):
            for name in ("train_loss", "loss"):
                if not math.isfinite(metrics[name][r]):
                    return f"`{name}` of replicate {r} is not finite at epoch {self.epoch}"
            for name, value in self.net.named_parameters():
                if not value[r].isfinite().all():
                    return f"`{name}` of replicate {r} is not finite at epoch {self.epoch}"
        return None

    def test(self) -> dict[str, Array]:
        """Accuracy on the test set [R], overall and by whether its group is in training too."""
        test, train = self.splits.test, self.splits.train
        if test is None:
            return {}
        correct = evaluate(self.net, test).correct
        found = {"test_accuracy": correct.mean(1)}
        if test.groups is not None and train.groups is not None:
            seen = np.isin(test.groups, train.groups)
            for name, chosen in (("test_accuracy_seen", seen), ("test_accuracy_unseen", ~seen)):
                if chosen.any():
                    found[name] = correct[:, chosen].mean(1)
        return found

    def _orders(self) -> Array:
        """This epoch's order of samples of each replicate [R, S]."""
        size = len(self.splits.train)
        return np.stack(
            [
                np.random.default_rng([seed, ORDER_STREAM, self.epoch]).permutation(size)
                for seed in self.net.seeds
            ]
        )

    def _pass_over(self, orders: Array) -> tuple[Array, Array]:
        """One update a batch; returns mean loss and accuracy as they were when each batch was seen [R]."""
        data, size = self.splits.train, orders.shape[1]
        losses, correct = np.zeros(len(orders)), np.zeros(len(orders))
        silent = torch.ones(len(orders), self.config.hidden, dtype=torch.bool)
        zero = self.net.mask & (self.net.w_rec == 0)
        seeds = self._augmentation_seeds()
        for start in range(0, size, self.config.batch_size):
            chosen = orders[:, start : start + self.config.batch_size]
            labels = torch.from_numpy(data.labels[chosen])
            out = self._forward(data, chosen, seeds)
            loss = cross_entropy(out.logits, labels)
            self._update(out, loss.mean(1), self.epoch + start / size)
            silent &= out.counts.sum(1) == 0
            zero &= self.net.w_rec == 0
            losses += loss.detach().sum(1).numpy()
            correct += (out.logits.detach().argmax(2) == labels).sum(1).numpy()
        revive(self.net, silent)
        if self.config.prune_zeros:
            prune(self.net, zero)
        return losses / size, correct / size

    def _forward(self, data: SpikeDataset, chosen: Array, seeds: Array) -> Output:
        """Run each network on its samples `chosen` [R, B], varied at random where that is wanted."""
        if self._augmentation == Augmentation():
            out: Output = self.net(data, chosen)
            return out
        samples = chosen.reshape(-1)
        times, channels = augment(data, samples, np.repeat(seeds, chosen.shape[1]), self._augmentation)
        varied = replace(data, times=times, channels=channels, labels=data.labels[samples], groups=None)
        out = self.net(varied, np.arange(samples.size).reshape(chosen.shape))
        return out

    def _augmentation_seeds(self) -> Array:
        """A seed [R] for what is random about the samples of this epoch."""
        streams = [np.random.default_rng([seed, AUGMENTATION_STREAM, self.epoch]) for seed in self.net.seeds]
        return np.array([stream.integers(2**63) for stream in streams])

    def _update(self, out: Output, loss: torch.Tensor, epochs: float) -> None:
        """One step down the loss [R] with the other costs, `epochs` epochs into training."""
        for cost in (positions_cost(self.net), rate_cost(self.net, out.counts)):
            loss = loss if cost is None else loss + cost
        # A sum over replicates: each gets the gradient of its own loss, and none touches another.
        self.optimizer.zero_grad()
        loss.sum().backward()
        clip_gradients(self.net)
        factor = rate_factor(self.net, epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        self.optimizer.step()
        self.net.project()
        shrink_weights(self.net, self._recurrent["lr"])
