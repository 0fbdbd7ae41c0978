"""What the arrays of a data set must be, in words. Shapes: S samples, E spikes over all of them."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.arrays import Ints
from model.border import as_array, whole
from model.datasets.ragged import DataError, Ragged
from model.fields import show

MAX_COUNT = 2**31 - 1  # channels are kept as int32
REALS = (np.dtype(np.float32), np.dtype(np.float64))


def check_content(
    times: Ragged, channels: Ragged, labels: Ints, groups: Ints | None, n_channels: int, n_classes: int
) -> None:
    """Raise DataError unless the fields of a data set are what `SpikeDataset` says of them.

    Each batch that is varied at random is a data set, so this takes few passes over the spikes: within a
    sample that ascends, the first and the last time tell whether all are finite and at least 0.
    """
    source = "SpikeDataset"
    for name, part, types in (("times", times, REALS), ("channels", channels, (np.dtype(np.int32),))):
        if not isinstance(part, Ragged) or part.flat.dtype not in types:
            kinds = " or ".join(map(str, types))
            raise DataError(
                f"{source}: `{name}`: expected a Ragged of {kinds}; use `SpikeDataset.from_events`"
            )
    if channels.offsets is not times.offsets and not np.array_equal(channels.offsets, times.offsets):
        raise DataError(f"{source}: `times` and `channels` have other offsets; give one channel a spike")
    for name, values in (("labels", labels), ("groups", groups)):
        if values is None and name == "groups":
            continue
        if not isinstance(values, np.ndarray) or values.dtype != np.int64:
            raise DataError(f"{source}: `{name}`: expected an array of whole numbers (int64), one a sample")
        if values.shape != (len(times),):
            raise DataError(f"{source}: `{name}`: got shape {list(values.shape)}, expected [{len(times)}]")
    flat, offsets = times.flat, times.offsets
    outside = _outside(channels.flat, _count(n_channels, "n_channels", source))
    outside |= _outside(labels, _count(n_classes, "n_classes", source))
    if outside or not _ascends(flat, offsets):
        check_ranges(flat, channels.flat, offsets, labels, n_channels, n_classes, source)
        raise DataError(f"{source}: times do not ascend within a sample; use `SpikeDataset.from_flat`")


def check_ranges(
    times: NDArray[Any],
    channels: NDArray[Any],
    offsets: Ints,
    labels: Ints,
    n_channels: int,
    n_classes: int,
    source: str,
) -> None:
    """Raise DataError, naming the sample, for a time, a channel or a label that is not legal."""
    _count(n_channels, "n_channels", source), _count(n_classes, "n_classes", source)
    _reject(~np.isfinite(times), times, offsets, source, "time {} is not finite; drop or mend it")
    fault = "time {} ms is below 0; shift the sample to start at 0 or later"
    _reject(times < 0, times, offsets, source, fault)
    legal = "{} is out of range, expected 0 to {}; mend it or raise `{}`"
    fault = "channel " + legal.format("{}", n_channels - 1, "n_channels")
    _reject((channels < 0) | (channels >= n_channels), channels, offsets, source, fault)
    fault = "label " + legal.format("{}", n_classes - 1, "n_classes")
    _reject((labels < 0) | (labels >= n_classes), labels, np.arange(len(labels)), source, fault)


def _count(value: int, name: str, source: str) -> int:
    try:
        return whole(value, f"{source}: `{name}`", 1, MAX_COUNT)
    except ValueError as error:
        raise DataError(str(error)) from None


def _outside(values: NDArray[Any], count: int) -> bool:
    return bool(values.size) and not 0 <= values.min() <= values.max() < count


def _ascends(times: NDArray[Any], offsets: Ints) -> bool:
    """Whether times ascend within every sample, from 0 or more to less than infinity; NaN never does."""
    falls = np.flatnonzero(~(times[1:] >= times[:-1])) + 1
    if falls.size and not (offsets[np.searchsorted(offsets, falls)] == falls).all():
        return False
    filled = offsets[1:] > offsets[:-1]
    first, last = times[offsets[:-1][filled]], times[offsets[1:][filled] - 1]
    return bool((first >= 0).all() and (last < np.inf).all())


def _reject(bad: NDArray[np.bool_], values: NDArray[Any], starts: Ints, source: str, fault: str) -> None:
    """Raise DataError for the first value that `bad` marks; sample i begins at value starts[i]."""
    if bad.any():
        first = int(np.argmax(bad))
        sample = int(np.searchsorted(starts, first, side="right")) - 1
        raise DataError(f"{source}: sample {sample}: {fault.format(values[first])}")


def each(events: Iterable[Any]) -> Iterator[Any]:
    """The samples, one after the other; DataError if there is no telling what they are."""
    try:
        return iter(events)
    except TypeError:
        raise DataError(
            f"events: got {show(events)}, expected a list of pairs (times_ms, channels)"
        ) from None


def pair(sample: int, event: tuple[ArrayLike, ArrayLike]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The two arrays of one sample, checked for kind and length."""
    place = f"events: sample {sample}"
    try:
        times, channels = map(np.asarray, event)
    except (TypeError, ValueError, RuntimeError) as error:
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


def flat(times: ArrayLike, channels: ArrayLike, spikes: int, source: str) -> tuple[Any, Any]:
    """Times as float32 or float64 and channels as they are, checked for kind and number."""
    found = []
    for name, values, kinds in (("times", times, "f"), ("channels", channels, "iu")):
        array = _array(values, name, source)
        if array.shape != (spikes,) or (array.size and array.dtype.kind not in kinds):
            noun = "numbers" if kinds == "f" else "whole numbers"
            got = f"shape {list(array.shape)} and type {array.dtype}"
            raise DataError(
                f"{source}: `{name}`: got {got}, expected {spikes} {noun}, as `lengths` add up to"
            )
        found.append(np.ascontiguousarray(array))
    wide = np.float64 if found[0].dtype.itemsize > 4 else np.float32
    return found[0].astype(wide, copy=False), found[1].astype(found[1].dtype.newbyteorder("="), copy=False)


def lengths_of(values: ArrayLike, source: str) -> Ints:
    """The numbers of spikes [S], checked."""
    array = _array(values, "lengths", source)
    if array.ndim != 1 or (array.size and (array.dtype.kind not in "iu" or int(array.min()) < 0)):
        raise DataError(f"{source}: `lengths`: got {show(values)}, expected whole numbers of at least 0")
    return array.astype(np.int64)


def whole_numbers(values: ArrayLike, name: str, samples: int, source: str) -> Ints:
    """Labels or groups [S], checked for kind and number."""
    array = _array(values, name, source)
    if array.shape != (samples,) or (array.size and array.dtype.kind not in "iu"):
        got = f"shape {array.shape} and type {array.dtype}"
        raise DataError(f"{source}: `{name}`: got {got}, expected {samples} whole numbers, one a sample")
    return array.astype(np.int64)


def _array(values: ArrayLike, name: str, source: str) -> NDArray[Any]:
    try:
        return as_array(values, f"{source}: `{name}`")
    except ValueError as error:
        raise DataError(str(error)) from error


def in_order(times: NDArray[Any], channels: NDArray[Any], offsets: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both arrays with every sample in ascending order of time; stable. Overwrites what may be written to."""
    falls = np.flatnonzero(times[1:] < times[:-1]) + 1
    samples = np.searchsorted(offsets, falls, side="right") - 1
    samples = np.unique(samples[falls != offsets[samples]])  # a fall from one sample to the next is none
    if samples.size:
        times, channels = (one if one.flags.writeable else one.copy() for one in (times, channels))
    for start, stop in zip(offsets[samples], offsets[samples + 1], strict=True):
        order = start + np.argsort(times[start:stop], kind="stable")
        times[start:stop], channels[start:stop] = times[order], channels[order]
    return times, channels
