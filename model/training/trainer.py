"""Training of a cohort, one epoch at a time."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
import torch

from model.analysis.evaluation import Evaluation, cross_entropy, evaluate
from model.arrays import Array
from model.border import kinds_checked
from model.config import NO_VALIDATION, LearnerConfig
from model.datasets import SpikeDataset, Splits
from model.datasets.split import spread
from model.exchange.start import begin_with, read_start
from model.kernels.scheme import steps_of
from model.network.best import Best
from model.network.checkpoint import pack, unpack
from model.network.cohort import Cohort, Output
from model.network.initialization import layers_to_scale, scale_inputs
from model.threads import one_torch_thread
from model.training.batch import run_batch
from model.training.optimizer import clip_gradients, make_optimizer, rate_factor
from model.training.order import draw_dropped, draw_epoch
from model.training.rate_cost import rate_cost, revive
from model.training.wiring_cost import cost_in_loss, prune, shrink_weights

OBSERVED = 2048
"""Training samples at most that the networks are observed on where there are none for validation."""


class _Pass(NamedTuple):
    """What a pass over the training samples has seen, as each batch was met before its update."""

    loss: Array
    """Mean over samples [R]."""
    accuracy: Array
    """[R]"""
    rates: Array
    """Mean spikes a sample of each neuron [R, N]."""


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
    that with `patience` they end together: when their mean no longer improves or, where the best networks are
    kept, when none of them does. Training taken up from a checkpoint is training never stopped, bit for bit.
    """

    @kinds_checked
    @one_torch_thread()
    def __init__(self, config: LearnerConfig, splits: Splits, seeds: Sequence[int], threads: int = 1) -> None:
        """Draw the networks and scale them to the data.

        Args:
            config: what to train; without a duration it is taken from the training set.
            splits: the data; without a test set there is no test accuracy, without validation none there.
            seeds: one a replicate, R of them.
            threads: threads of the kernels.

        Raises:
            ValueError: if training goes by validation, and there are no samples for it, or if networks cannot
                begin with the `start` that is asked for.
        """
        if config.needs_validation and not len(splits.validation):
            raise ValueError(f"LearnerConfig: `{config.needs_validation}` {NO_VALIDATION}")
        self.splits, train = splits, splits.train
        config = with_duration(config, train)
        net = Cohort(config, train.n_channels, train.n_classes, seeds, threads=threads)
        start = None if config.start is None else read_start(config.start)
        if start is not None:
            begin_with(net, start)
        scale_inputs(net, train, layers_to_scale(config, start is not None and start.w_rec is not None))
        self._begin(net, 0, Best.start(len(seeds) if config.keep == "best" else 1))

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
        self._observed: tuple[int, Evaluation] | None = None

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
    def observed(self) -> Evaluation:
        """How the networks answer after this epoch, found once an epoch, when first asked for.

        On the validation samples; without any, on some of those of training.
        """
        if self._observed is None or self._observed[0] != self.epoch:
            self._observed = (self.epoch, evaluate(self.net, self.observed_on))
        return self._observed[1]

    @property
    def observed_on(self) -> SpikeDataset:
        """The samples that the networks are observed on: those for validation, or else some of training."""
        train, validation = self.splits.train, self.splits.validation
        return validation if len(validation) else train.subset(spread(len(train), OBSERVED))

    def checkpoint(self) -> bytes:
        """The networks with everything that `resume` needs, as bytes."""
        state = self.optimizer.state
        moments = {name: state[value] for name, value in self.net.named_parameters() if value in state}
        return pack(self.net, moments, self.epoch, self.best)

    def networks(self) -> bytes:
        """The networks alone as bytes, without what is needed to train on."""
        return pack(self.net, None, self.epoch, self.best)

    @property
    def finished(self) -> bool:
        """Whether training is over: all epochs are done, or nothing has improved for `patience` of them."""
        return self.epoch >= self.config.epochs or all(self.best.over(self.epoch, self.config.patience))

    @one_torch_thread()
    def run_epoch(self) -> dict[str, Array]:
        """Train for one epoch; returns the metrics, each [R], and a delay scale that is learned, as one more.

        Without validation samples, rates are those in training, and loss and accuracy on validation are not
        there. The caller asks `fault` before going on.
        """
        started = time.perf_counter()
        seen = self._pass_over()
        self.epoch += 1
        metrics = self._metrics(seen)
        self._note_best(metrics)
        seconds = time.perf_counter() - started
        return metrics | {"seconds": np.full(self.net.replicates, seconds)}

    @one_torch_thread()
    def evaluation(self) -> dict[str, Array]:
        """The metrics of the networks as they are, without training, each [R].

        They are those of the last epoch, to the bit, as far as training has no part in them. Without samples
        for validation, rates are those on some of the training samples.
        """
        return self._metrics(None)

    def _metrics(self, seen: _Pass | None) -> dict[str, Array]:
        """The metrics of the networks and of a pass over the training samples, each [R]."""
        with torch.no_grad():
            wiring_length, sparsity = self.net.wiring_length().numpy(), self.net.sparsity().numpy()
        metrics: dict[str, Array] = {}
        if len(self.splits.validation):
            metrics = {"loss": self.observed.loss, "accuracy": self.observed.accuracy}
        if seen is not None:
            metrics |= {"train_loss": seen.loss, "train_accuracy": seen.accuracy}
        rates = self.observed.rates if seen is None or len(self.splits.validation) else seen.rates
        metrics |= {
            "wiring_length": wiring_length.astype(float),
            "sparsity": sparsity.astype(float),
            "rate": rates.mean(1),
            "silent": (rates == 0).mean(1),
        }
        if self.config.learn_delay_scale:
            metrics["delay_scale"] = self.net.log_delay_scale.detach().double().exp().numpy()
        return metrics

    def _note_best(self, metrics: dict[str, Array]) -> None:
        """See which networks are the best so far, and keep them if they are asked for."""
        config = self.config
        if config.patience_on == "train_accuracy":
            costs = -metrics["train_accuracy"]
        elif "loss" in metrics:
            costs = metrics["loss"]
        else:  # nothing goes by it: see `needs_validation`
            return
        if config.keep == "last":
            self.best.note(self.epoch, [float(costs.mean())], config.patience)
            return
        better = self.best.note(self.epoch, costs.tolist(), config.patience)
        values = {name: each.tolist() for name, each in metrics.items()}
        self.best.keep(better, self.net.state_dict(), values)

    def take_best(self) -> dict[str, Array]:
        """Turn the networks into those of the best epoch, once training is over, if these are to be kept.

        Returns their metrics as they were then, each [R]; none if the last networks are the ones.
        """
        if self.config.keep == "last":
            return {}
        self.net.load_state_dict(self.best.networks)
        self._observed = None
        return {name: np.array(values) for name, values in self.best.metrics.items()}

    def fault(self, metrics: dict[str, Array]) -> str | None:
        """The first loss or parameter that is not finite, in words, or None."""
        for r in range(self.net.replicates):
            for name in ("train_loss", "loss"):
                if name in metrics and not math.isfinite(metrics[name][r]):
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

    def _pass_over(self) -> _Pass:
        """One update a batch, over the training samples of an epoch."""
        data, replicates = self.splits.train, self.net.replicates
        draws = draw_epoch(self.config, len(data), self.net.seeds, self.epoch)
        size = draws.samples.shape[1]
        losses, correct = np.zeros(replicates), np.zeros(replicates)
        spikes = torch.zeros(replicates, self.config.neurons, dtype=torch.float64)
        zero = self.net.mask & (self.net.w_rec == 0)
        for start in range(0, size, self.config.batch_size):
            batch = draws.batch(start, self.config.batch_size)
            labels = torch.from_numpy(data.labels[batch.samples])
            dropped = draw_dropped(self.config, self.net.seeds, self.epoch, start, labels.shape[1])
            out = run_batch(self.net, data, batch, dropped)
            # What is reported is without the smoothing, as it is on validation.
            loss = cross_entropy(out.logits, labels)
            smoothed = cross_entropy(out.logits, labels, self.config.label_smoothing)
            self._update(out, smoothed.mean(1), self.epoch + start / size)
            spikes += out.counts.detach().sum(1)
            zero &= self.net.w_rec == 0
            losses += loss.detach().sum(1).numpy()
            correct += (out.logits.detach().argmax(2) == labels).sum(1).numpy()
        revive(self.net, spikes == 0)
        if self.config.prune_zeros:
            prune(self.net, zero)
        self.net.settle()
        return _Pass(losses / size, correct / size, (spikes / size).numpy())

    def _update(self, out: Output, loss: torch.Tensor, epochs: float) -> None:
        """One step down the loss [R] with the other costs, `epochs` epochs into training."""
        for cost in (cost_in_loss(self.net), rate_cost(self.net, out.counts)):
            loss = loss if cost is None else loss + cost
        # A sum over replicates: each gets the gradient of its own loss, and none touches another.
        self.optimizer.zero_grad()
        loss.sum().backward()
        clip_gradients(self.net)
        factor = rate_factor(self.net, epochs)
        self.optimizer.step(factor)
        self.net.project()
        shrink_weights(self.net, self.optimizer.rates[self.net.w_rec] * factor)
