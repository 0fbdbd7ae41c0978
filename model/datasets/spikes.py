"""Labelled samples of spikes. Shapes: S samples, E spikes over all of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.arrays import Ints
from model.datasets.config import TimeUnit
from model.datasets.ragged import DataError, Ragged, concatenate, offsets_of
from model.datasets.shd import read_shd

MAX_COUNT = 2**31 - 1  # channels are kept as int32
MOST_CHANNELS = 2**24  # that are taken for channels unless their number is given: weights of more fit nowhere


@dataclass(frozen=True, eq=False)
class SpikeDataset:
    """S samples of input spikes with their classes. Build it by `from_events` or `from_hdf5`.

    Within a sample spikes are in ascending order of time. A sample may be empty. The arrays are not
    to be written to.
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

    @classmethod
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
        pairs = [_pair(sample, event) for sample, event in enumerate(events)]
        given = {times.dtype for times, _ in pairs if times.size}
        dtype = np.float32 if all(np.can_cast(one, np.float32) for one in given) else np.float64
        times = concatenate([times.astype(dtype) for times, _ in pairs], dtype)
        channels = concatenate([channels.astype(np.int64) for _, channels in pairs], np.int64)
        lengths = np.array([len(times) for times, _ in pairs], dtype=np.int64)
        return cls.from_flat(times, channels, lengths, labels, n_channels, n_classes, groups)

    @classmethod
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
        labels = _whole_numbers(labels, "labels", len(lengths), str(path))
        if n_channels is None:
            n_channels = 1 + int(channels.max(initial=0))
            if n_channels > MOST_CHANNELS:
                fault = f"got channel {n_channels - 1}, expected less than {MOST_CHANNELS}"
                raise DataError(f"{path}: `spikes/units`: {fault}; number the channels from 0")
        if n_classes is None:
            n_classes = 1 + int(labels.max(initial=0)) if names is None else names
        return cls.from_flat(times, channels, lengths, labels, n_channels, n_classes, speakers, str(path))

    @classmethod
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
        for name, count in (("n_channels", n_channels), ("n_classes", n_classes)):
            if not 1 <= count <= MAX_COUNT:
                raise DataError(f"{source}: `{name}`: got {count}, expected 1 to {MAX_COUNT}")
        labels = _whole_numbers(labels, "labels", len(lengths), source)
        if groups is not None:
            groups = _whole_numbers(groups, "groups", len(lengths), source)
        owners = offsets = offsets_of(lengths)
        _reject(~np.isfinite(times), times, owners, source, "time {} is not finite; drop or mend it")
        _reject(
            times < 0, times, owners, source, "time {} ms is below 0; shift the sample to start at 0 or later"
        )
        legal = "{} is out of range, expected 0 to {}; mend it or raise `{}`"
        fault = "channel " + legal.format("{}", n_channels - 1, "n_channels")
        _reject((channels < 0) | (channels >= n_channels), channels, owners, source, fault)
        fault = "label " + legal.format("{}", n_classes - 1, "n_classes")
        _reject((labels < 0) | (labels >= n_classes), labels, np.arange(len(labels)), source, fault)
        times, channels = _sorted(times, channels.astype(np.int32, copy=False), offsets)
        return cls(Ragged(times, offsets), Ragged(channels, offsets), labels, groups, n_channels, n_classes)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def latest(self) -> float:
        """Time of the latest spike (ms), 0 if there is none."""
        return float(self.times.flat.max(initial=0))

    def subset(self, indices: ArrayLike | slice) -> Self:
        """A copy of the samples that `indices` names, in that order: whole numbers, a slice or a mask [S].

        Raises IndexError if one is out of range.
        """
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        if not isinstance(chosen, slice) and chosen.size == 0:
            chosen = chosen.astype(np.int64)  # an empty list arrives as floats
        rows = np.atleast_1d(np.arange(len(self))[chosen])
        times, channels = self.times.take(rows), self.channels.take(rows)
        groups = None if self.groups is None else self.groups[rows]
        shared = Ragged(channels.flat, times.offsets)
        return type(self)(times, shared, self.labels[rows], groups, self.n_channels, self.n_classes)

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


def _reject(bad: NDArray[np.bool_], values: NDArray[Any], starts: Ints, source: str, fault: str) -> None:
    """Raise DataError for the first value that `bad` marks; sample i begins at value starts[i]."""
    if bad.any():
        first = int(np.argmax(bad))
        sample = int(np.searchsorted(starts, first, side="right")) - 1
        raise DataError(f"{source}: sample {sample}: {fault.format(values[first])}")


def _pair(sample: int, event: tuple[ArrayLike, ArrayLike]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The two arrays of one sample, checked for kind and length."""
    place = f"events: sample {sample}"
    try:
        times, channels = map(np.asarray, event)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: expected a pair (times_ms, channels)") from error
    for name, array, kinds in (("times", times, "fiu"), ("channels", channels, "iu")):
        if array.ndim != 1 or (array.size and array.dtype.kind not in kinds):
            noun = "whole numbers" if kinds == "iu" else "numbers"
            raise DataError(
                f"{place}: {name} are {array.ndim}-D of type {array.dtype}, expected a list of {noun}"
            )
    if len(times) != len(channels):
        raise DataError(f"{place}: {len(times)} times and {len(channels)} channels; give one channel a spike")
    return times, channels


def _whole_numbers(values: ArrayLike, name: str, samples: int, source: str) -> Ints:
    array = np.asarray(values)
    if array.shape != (samples,) or (array.size and array.dtype.kind not in "iu"):
        got = f"shape {array.shape} and type {array.dtype}"
        raise DataError(f"{source}: `{name}`: got {got}, expected {samples} whole numbers, one a sample")
    return array.astype(np.int64)


def _sorted(times: NDArray[Any], channels: NDArray[Any], offsets: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both arrays with every sample in ascending order of time; stable. Overwrites its arguments."""
    falls = np.flatnonzero(times[1:] < times[:-1]) + 1
    samples = np.searchsorted(offsets, falls, side="right") - 1
    samples = np.unique(samples[falls != offsets[samples]])  # a fall from one sample to the next is none
    for start, stop in zip(offsets[samples], offsets[samples + 1], strict=True):
        order = start + np.argsort(times[start:stop], kind="stable")
        times[start:stop], channels[start:stop] = times[order], channels[order]
    return times, channels
