"""A data set by name or by path, split for training, validation and test."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.datasets.config import DataConfig
from model.datasets.digits import load_digits
from model.datasets.ragged import DataError
from model.datasets.spikes import SpikeDataset
from model.datasets.split import stratified


class Splits(NamedTuple):
    """The parts of a data set; all agree in n_channels and n_classes."""

    train: SpikeDataset
    validation: SpikeDataset
    """What search and stopping see."""
    test: SpikeDataset | None
    """What is looked at once, at the end; None if there is none."""


def load_dataset(
    name: str | None = None,
    *,
    path: str | Path | None = None,
    test: str | Path | None = None,
    validation: float = 0.1,
    seed: int = 0,
) -> Splits:
    """Load the data set called `name`, or the files in the SHD layout at `path` and `test`.

    The arguments are those of `DataConfig`. Validation samples are drawn from the training file by `seed`:
    a share `validation` of every class, at least one sample and never all; the rest trains. A set whose
    splits are fixed (digits) takes neither.

    Raises ValueError for illegal arguments, DataError for files that cannot be used.

    >>> train, validation, test = load_dataset("digits")
    >>> len(train), len(validation), len(test), train.n_channels
    (1197, 300, 300, 64)
    """
    files = {key: None if file is None else str(file) for key, file in (("path", path), ("test", test))}
    return load_splits(DataConfig(name=name, **files, validation=validation, seed=seed))


def load_splits(config: DataConfig) -> Splits:
    """Load what `config` names; see `load_dataset`."""
    if config.path is None:
        assert config.name == "digits", config.name  # DataConfig admits no other
        return Splits(*load_digits())
    whole = SpikeDataset.from_hdf5(config.path)
    test = None if config.test is None else SpikeDataset.from_hdf5(config.test)
    if test is not None:
        n_channels = max(whole.n_channels, test.n_channels)  # the layout does not say: see `from_hdf5`
        n_classes = max(whole.n_classes, test.n_classes)
        whole = replace(whole, n_channels=n_channels, n_classes=n_classes)
        test = replace(test, n_channels=n_channels, n_classes=n_classes)
    count = round(config.validation * len(whole))
    held_out, rest = stratified(whole.labels, count, np.random.default_rng(config.seed))
    if not len(held_out):
        raise DataError(
            f"{config.path}: no class has more than one sample, so that none can be held out for validation "
            "and still be trained on; give a file with more"
        )
    return Splits(whole.subset(rest), whole.subset(held_out), test)
