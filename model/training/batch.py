"""The networks on a batch of training samples, with all that is random in training."""

from dataclasses import replace

import numpy as np
import torch

from model.augmentation import Augmentation, augment
from model.border import kinds_checked
from model.datasets import SpikeDataset
from model.network.cohort import Cohort, Output
from model.training.order import Draws


@kinds_checked
def run_batch(net: Cohort, data: SpikeDataset, batch: Draws, dropped: torch.Tensor | None = None) -> Output:
    """Run network r on its draws of a batch of `data`, varied at random where the configuration asks for it.

    `dropped` [R, B, N] (bool) are the neurons that nobody hears. Raises as a `Cohort` does that is called.
    """
    augmentation, samples, varied = Augmentation.of(net.config), batch.samples, data
    if augmentation != Augmentation():
        flat = samples.reshape(-1)
        blended = None if batch.blended is None else batch.blended.reshape(-1)
        times, channels = augment(data, flat, batch.seeds.reshape(-1), augmentation, blended)
        varied = replace(data, times=times, channels=channels, labels=data.labels[flat], groups=None)
        samples = np.arange(flat.size).reshape(samples.shape)
    out: Output = net(varied, samples, dropped)
    return out
