"""Networks that have been trained a little, with all that a checkpoint holds."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch

from model import Cohort, LearnerConfig, SpikeDataset
from model.datasets import Splits
from model.network.best import Best
from model.network.checkpoint import pack, unpack
from model.training.trainer import Trainer

WHERE: list[dict[str, Any]] = [
    {"embedding": "space"},
    {"embedding": "space", "dimensions": 1},
    {"embedding": "space", "dimensions": 7},
    {"embedding": "space", "learn_delay_scale": True},
    {"embedding": "space", "input_embedding": "line", "learn_input_positions": True, "dimensions": 3},
    {"embedding": "space", "input_embedding": "circle", "dimensions": 3},
    {"embedding": "fixed", "learn_delay_scale": True},
    {"embedding": "free"},
    {"embedding": "axonal"},
    {"embedding": "shuffled"},
    {"embedding": "none"},
    {"embedding": "space", "neuron": "adaptive_lif", "adaptation": 0.1, "tau_adaptation": 20.0},
    {"embedding": "space", "learn_time_constants": True, "tau_spread": 0.3},
]
"""Where delays come from, in every way, neurons that adapt, and such that have their own time constants."""
IN_SPACE = [one for one in WHERE if one["embedding"] in ("space", "fixed")]


def samples(count: int, seed: int) -> SpikeDataset:
    """Class 0 fires its channels early, class 1 late."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    events = [(np.sort(draw.uniform(0, 10, 12)) + 12 * label, draw.integers(0, 6, 12)) for label in labels]
    return SpikeDataset.from_events(events, labels, 6, 2)


SPLITS = Splits(samples(32, 0), samples(16, 1), None)


def trained(**fields: Any) -> Trainer:
    """Two networks after an epoch; some synapses are pruned."""
    return Trainer.resume(_trained(tuple(sorted(fields.items()))), SPLITS)


@cache
def _trained(fields: tuple[tuple[str, Any], ...]) -> bytes:
    defaults: dict[str, Any] = {"hidden": 9, "epochs": 6, "batch_size": 8, "duration": 30.0}
    defaults |= {"delay_scale": 5.0, "schedule": "constant", "recurrent_gain": 1.0}
    trainer = Trainer(LearnerConfig(**(defaults | dict(fields))), SPLITS, [3, 8])
    with torch.no_grad():
        trainer.net.mask[0, :1, -1:] = trainer.net.mask[1, -1:, :1] = False
    trainer.run_epoch()
    return trainer.checkpoint()


def as_double(checkpoint: bytes) -> bytes:
    """The networks of a checkpoint in float64."""
    net, epoch, _, _ = unpack(checkpoint)
    wide = Cohort(net.config, net.n_channels, net.n_classes, net.seeds, dtype=torch.float64)
    wide.load_state_dict(net.state_dict())
    return pack(wide, None, epoch, Best.start(1))


def answers(checkpoint: bytes, data: SpikeDataset) -> torch.Tensor:
    """Logits [R, S, O] of the networks of a checkpoint."""
    net = unpack(checkpoint)[0]
    with torch.no_grad():
        logits: torch.Tensor = net(data, np.tile(np.arange(len(data)), (net.replicates, 1))).logits
    return logits


def grazes(checkpoint: bytes, data: SpikeDataset) -> bool:
    """Whether a spike comes or goes when the threshold moves by 1e-9: then rounding might flip it."""
    net = unpack(checkpoint)[0]
    shown = np.tile(np.arange(len(data)), (net.replicates, 1))
    config, counts = net.config, []
    for threshold in (config.threshold - 1e-9, config.threshold + 1e-9):
        net.config = replace(config, threshold=threshold)
        with torch.no_grad():
            counts.append(net(data, shown).counts)
    return not torch.equal(*counts)
