"""A data set by name or by path, split for training, validation and test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.arrays import Ints
from model.border import kinds_checked
from model.datasets.config import DataConfig, TimeUnit
from model.datasets.digits import load_digits
from model.datasets.library import load_braille, load_ntidigits, load_shd, load_smnist, load_ssc
from model.datasets.ragged import DataError
from model.datasets.spikes import SpikeDataset
from model.datasets.split import stratified
from model.datasets.spoken_digits import load_spoken_digits
from model.datasets.two_parts import check_kinds, two_parts
from model.datasets.yin_yang import load_yin_yang


class Splits(NamedTuple):
    """The parts of a data set; all agree in n_channels and n_classes."""

    train: SpikeDataset
    validation: SpikeDataset
    """What search and stopping see; without samples if none are held out."""
    test: SpikeDataset | None
    """What is looked at once, at the end; None if there is none."""

    @property
    def held_out(self) -> tuple[str, SpikeDataset]:
        """The samples that trained networks are shown, with the name of their part: test, or validation.

        Where neither is there, they are those of training.
        """
        if self.test is not None:
            return "test", self.test
        return ("validation", self.validation) if len(self.validation) else ("training", self.train)


FIXED: dict[str, Callable[[], tuple[SpikeDataset, SpikeDataset, SpikeDataset]]] = {
    "digits": load_digits,
    "yin_yang": load_yin_yang,
    "spoken_digits": load_spoken_digits,
    "ssc": load_ssc,
    "braille": load_braille,
}
"""Training, validation and test, by name."""

FEWEST_GROUPS = 3
"""Groups below which none is held out unasked: the rest would be too much alike."""

DEFAULT_SHARE = 0.1
"""Share of the samples that are held out for validation."""

UNDIVIDED: dict[str, Callable[[], tuple[SpikeDataset, SpikeDataset]]] = {
    "shd": load_shd,
    "ntidigits": load_ntidigits,
    "smnist": load_smnist,
}
"""Training, of which validation is to be taken, and test, by name."""


def load_dataset(
    name: str | None = None,
    *,
    path: str | Path | None = None,
    test: str | Path | None = None,
    validation: float | None = None,
    seed: int = 0,
    validation_group: int | None = None,
    time_unit: TimeUnit | None = None,
) -> Splits:
    """Load the data set called `name`, or the files in the SHD layout at `path` and `test`.

    The arguments are those of `DataConfig`, which says what is held out for validation, and in which unit
    times of files may be. The rest trains.

    Published sets are kept in the folder that the environment variable POLYCHRONY_DATA names, by default
    ~/.cache/polychrony, and fetched into it on first use.

    Raises ValueError for illegal arguments, DataError for files that cannot be used or had.

    >>> train, validation, test = load_dataset("digits")
    >>> len(train), len(validation), len(test), train.n_channels
    (1197, 300, 300, 64)
    """
    path, test = (None if file is None else str(file) for file in (path, test))
    return load_splits(DataConfig(name, path, test, validation, seed, validation_group, time_unit))


@kinds_checked
def load_splits(config: DataConfig) -> Splits:
    """Load what `config` names; see `load_dataset`."""
    if config.name == "two_digits":
        return _two_digits(config)
    if config.name in FIXED:
        return Splits(*FIXED[config.name]())
    whole, test = _files(config) if config.name is None else UNDIVIDED[config.name]()
    if config.validation == 0:
        return Splits(whole, whole.subset([]), test)
    held_out, rest = _hold_out(whole, config)
    return Splits(whole.subset(rest), whole.subset(held_out), test)


def _two_digits(config: DataConfig) -> Splits:
    """Two digits at once, of files or of `digits`; drawn once and for all, split before they are paired."""
    single = DataConfig("digits") if config.path is None else replace(config, name=None)
    parts = load_splits(single)
    check_kinds(parts.train, single.path or "digits")
    train, validation, test = (None if one is None else two_parts(one, n) for n, one in enumerate(parts))
    assert train is not None and validation is not None
    return Splits(train, validation, test)


def _files(config: DataConfig) -> tuple[SpikeDataset, SpikeDataset | None]:
    assert config.path is not None
    whole = SpikeDataset.from_hdf5(config.path, time_unit=config.time_unit)
    if config.test is None:
        return whole, None
    test = SpikeDataset.from_hdf5(config.test, time_unit=config.time_unit)
    n_channels = max(whole.n_channels, test.n_channels)  # the layout does not say: see `from_hdf5`
    n_classes = max(whole.n_classes, test.n_classes)
    whole = replace(whole, n_channels=n_channels, n_classes=n_classes)
    return whole, replace(test, n_channels=n_channels, n_classes=n_classes)


def _hold_out(whole: SpikeDataset, config: DataConfig) -> tuple[Ints, Ints]:
    """The indices of the validation samples and those of all others."""
    place = config.path or config.name
    draw = np.random.default_rng(config.seed)
    if config.validation_group is not None:
        return _group(whole, config.validation_group, f"{place}: `validation_group`")
    groups = np.unique([] if whole.groups is None else whole.groups)
    if config.validation is None and len(groups) >= FEWEST_GROUPS:
        return _group(whole, int(draw.choice(groups)), f"{place}")
    share = DEFAULT_SHARE if config.validation is None else config.validation
    count = round(share * len(whole))
    held_out, rest = stratified(whole.labels, count, draw)
    if not len(held_out):
        raise DataError(
            f"{place}: no class has more than one sample, so that none can be held out for validation "
            "and still be trained on; give a file with more"
        )
    return held_out, rest


def _group(whole: SpikeDataset, group: int, place: str) -> tuple[Ints, Ints]:
    if whole.groups is None:
        raise DataError(f"{place}: the data have no groups; leave it out to hold out a share of the samples")
    inside = whole.groups == group
    if not inside.any() or inside.all():
        known = ", ".join(map(str, np.unique(whole.groups)))
        fault = (
            "there is no other group to train on" if inside.all() else "there is no such group in training"
        )
        raise DataError(f"{place}: got {group}, but {fault}; the groups are {known}")
    return np.flatnonzero(inside), np.flatnonzero(~inside)
