"""Labelled samples of spikes. Shapes: S samples, E spikes over all of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.arrays import Ints
from model.border import kinds_checked, sample_indices
from model.datasets.config import TimeUnit
from model.datasets.legal import (
    check_content,
    check_ranges,
    each,
    flat,
    in_order,
    lengths_of,
    pair,
    whole_numbers,
)
from model.datasets.ragged import DataError, Ragged, concatenate, offsets_of
from model.datasets.shd import read_shd

MOST_CHANNELS = 2**24  # that are taken for channels unless their number is given: weights of more fit nowhere


@dataclass(frozen=True, eq=False)
class SpikeDataset:
    """S samples of input spikes with their classes. Build it by `from_events` or `from_hdf5`.

    Within a sample spikes are in ascending order of time. A sample may be empty. All of this is checked when
    a data set is made, once, and spikes are read-only from then on: the kernels rely on it.

    Raises DataError if it does not hold.
    """

    times: Ragged
    """Spike times (ms), finite and at least 0; float32, or float64 where given as such."""
    channels: Ragged
    """Channel of each spike, 0..n_channels-1, int32; shares the offsets of `times`."""
    labels: Ints
    """Class of each sample, 0..n_classes-1, [S]."""
    groups: Ints | None
    """Group of each sample (for speech: the speaker), [S], or None."""
    n_channels: int
    """Input channels, C."""
    n_classes: int
    """Classes, O."""

    def __post_init__(self) -> None:
        check_content(*self._values())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._values()  # so that a copy is checked, and read-only, as well

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))

    @classmethod
    @kinds_checked
    def from_events(
        cls,
        events: Iterable[tuple[ArrayLike, ArrayLike]],
        labels: ArrayLike,
        n_channels: int,
        n_classes: int,
        groups: ArrayLike | None = None,
    ) -> Self:
        """A data set from one pair (times in ms [E_i], channels [E_i]) a sample.

        Times that are not ascending are sorted, equal ones keep their order. Times are kept as float32
        if that holds every type given, else as float64 (so from lists of Python numbers). No samples at
        all is legal.

        Raises DataError, naming the sample, for times that are negative or not finite, channels, labels
        or groups that are not whole numbers or out of range, and lengths that differ.

        >>> data = SpikeDataset.from_events([([3.0, 1.0], [0, 4]), ([], [])], [1, 0], 5, 2)
        >>> len(data), data.times[0], data.channels[0], data.latest
        (2, array([1., 3.]), array([4, 0], dtype=int32), 3.0)
        """
        pairs = [pair(sample, event) for sample, event in enumerate(each(events))]
        given = {times.dtype for times, _ in pairs if times.size}
        dtype = np.float32 if all(np.can_cast(one, np.float32) for one in given) else np.float64
        times = concatenate([times.astype(dtype) for times, _ in pairs], dtype)
        channels = concatenate([channels.astype(np.int64) for _, channels in pairs], np.int64)
        lengths = np.array([len(times) for times, _ in pairs], dtype=np.int64)
        return cls.from_flat(times, channels, lengths, labels, n_channels, n_classes, groups)

    @classmethod
    @kinds_checked
    def from_hdf5(
        cls,
        path: str | Path,
        n_channels: int | None = None,
        n_classes: int | None = None,
        time_unit: TimeUnit | None = None,
    ) -> Self:
        """A data set from a file in the layout of the Spiking Heidelberg Digits (SHD).

        The layout: `spikes/times` (ragged floats, seconds), `spikes/units` (ragged integers, the channel),
        `labels` and, if present, `extra/speaker` (becomes `groups`) and `extra/keys` (names of the classes).
        Numbers may be of any size and byte order.

        n_channels: by default the highest channel with a spike in this file, plus 1, as the layout does
            not say; give it where the file must match another (`load_dataset` matches train and test).
        n_classes: by default the number of `extra/keys`, else the highest label plus 1.
        time_unit: of `spikes/times`, which may be integers then; None: seconds, and a file whose samples
            would be longer than a minute or shorter than a millisecond is refused.

        Raises DataError, naming file and cure, if the file is missing, locked, truncated, not HDF5, not in
        this layout or without samples, and for what `from_events` refuses.

        Source: Cramer, Stradmann, Schemmel, Zenke, IEEE TNNLS 2020, doi:10.1109/TNNLS.2020.3044364.
        """
        times, channels, lengths, labels, speakers, names = read_shd(path, time_unit)
        labels = whole_numbers(labels, "labels", len(lengths), str(path))
        if n_channels is None:
            n_channels = 1 + int(channels.max(initial=0))
            if n_channels > MOST_CHANNELS:
                fault = f"got channel {n_channels - 1}, expected less than {MOST_CHANNELS}"
                raise DataError(f"{path}: `spikes/units`: {fault}; number the channels from 0")
        if n_classes is None:
            n_classes = 1 + int(labels.max(initial=0)) if names is None else names
        return cls.from_flat(times, channels, lengths, labels, n_channels, n_classes, speakers, str(path))

    @classmethod
    @kinds_checked
    def from_flat(
        cls,
        times: NDArray[Any],
        channels: NDArray[Any],
        lengths: Ints,
        labels: ArrayLike,
        n_channels: int,
        n_classes: int,
        groups: ArrayLike | None = None,
        source: str = "events",
    ) -> Self:
        """A data set from the spikes of all samples, one sample after the other; takes the arrays over.

        Args:
            times: spike times (ms), float32 or float64 [E].
            channels: channel of each spike [E].
            lengths: spikes in each sample [S].
            labels: class of each sample [S].
            n_channels: input channels.
            n_classes: classes.
            groups: group of each sample [S], or None.
            source: where it comes from, for errors.

        Raises DataError for what `from_events` refuses.
        """
        lengths = lengths_of(lengths, source)
        times, channels = flat(times, channels, int(lengths.sum()), source)
        labels = whole_numbers(labels, "labels", len(lengths), source)
        if groups is not None:
            groups = whole_numbers(groups, "groups", len(lengths), source)
        offsets = offsets_of(lengths)
        check_ranges(times, channels, offsets, labels, n_channels, n_classes, source)
        times, channels = in_order(times, channels.astype(np.int32, copy=False), offsets)
        return cls(Ragged(times, offsets), Ragged(channels, offsets), labels, groups, n_channels, n_classes)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def latest(self) -> float:
        """Time of the latest spike (ms), 0 if there is none."""
        return float(self.times.flat.max(initial=0))

    def subset(self, indices: ArrayLike | slice) -> Self:
        """A copy of the samples that `indices` names, in that order: whole numbers, a slice or a mask [S].

        Raises IndexError if one is out of range or no whole number, or a mask is of another length.
        """
        rows = self._rows(indices)
        times, channels = self.times.take(rows), self.channels.take(rows)
        groups = None if self.groups is None else self.groups[rows]
        shared = Ragged(channels.flat, times.offsets)
        return type(self)(times, shared, self.labels[rows], groups, self.n_channels, self.n_classes)

    def _rows(self, indices: ArrayLike | slice) -> Ints:
        """The samples that an argument of `subset` names, each from 0 to S - 1."""
        if isinstance(indices, slice):
            return np.arange(len(self))[indices]
        try:
            mask = np.asarray(indices)
        except (ValueError, TypeError, RuntimeError):  # told by `sample_indices`
            mask = np.empty(0)
        if mask.dtype == bool and mask.shape == (len(self),):
            return np.flatnonzero(mask)
        rows = np.atleast_1d(sample_indices(indices, len(self), "SpikeDataset.subset"))
        if rows.ndim > 1:
            raise IndexError(f"SpikeDataset.subset: got shape {list(rows.shape)}, expected one dimension")
        return rows

    def digest(self) -> str:
        """SHA-256 (hex) of the content: equal for equal data sets, on every machine."""
        arrays = [self.times.flat, self.channels.flat, self.times.offsets, self.labels]
        if self.groups is not None:
            arrays.append(self.groups)
        digest = hashlib.sha256(f"{self.n_channels} {self.n_classes}".encode())
        for array in arrays:
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(f" {little.dtype.str} {len(little)} ".encode())
            digest.update(little.data)
        return digest.hexdigest()
