"""Sequential MNIST: images read pixel by pixel, each change of brightness as spikes."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.datasets.ragged import DataError
from model.datasets.spikes import SpikeDataset

THRESHOLDS = 39
CHANNELS = 2 * THRESHOLDS + 1
IMAGES, LABELS = 2051, 2049  # magic numbers of the two kinds of file
TOUCH = 255  # the brightness that has a channel of its own

Bytes = NDArray[np.uint8]


def read_smnist(images: Path, labels: Path) -> SpikeDataset:
    """The images and labels of MNIST in these two files, unpacked, as `encode` turns them into spikes.

    Raises DataError if a file is missing, cut short or not of this kind.

    Source: Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons,
    NeurIPS 2018, arXiv:1803.09574; spikes and channels are those of tonic's SMNIST with 79 neurons, not
    doubled.
    """
    pixels, classes = read_idx(images, IMAGES), read_idx(labels, LABELS)
    if len(pixels) != len(classes):
        raise DataError(f"{images}: {len(pixels)} images, but {len(classes)} labels in {labels}; fetch both")
    if not pixels.size:
        raise DataError(f"{images}: holds no image, or images without pixels; fetch it again")
    times, channels, lengths = encode(pixels.reshape(len(pixels), -1))
    return SpikeDataset.from_flat(
        times, channels, lengths, classes, CHANNELS, 10, groups=None, source=str(images)
    )


def read_idx(path: Path, magic: int) -> Bytes:
    """The array in the IDX file at `path`, of 1 or 3 dimensions."""
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from error
    start = 4 + 4 * (magic % 256)  # the last byte is the number of dimensions
    found, *shape = content[:start].view(">u4").tolist() if len(content) >= start else [0]
    if found != magic or len(content) - start != math.prod(shape):
        raise DataError(f"{path}: is not an unpacked MNIST file, or cut short; fetch it again")
    return content[start:].reshape(shape)


def encode(pixels: Bytes) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """The spikes of images [S, P]: times (ms) [E], channels [E] and spikes an image [S].

    Pixel k is seen at k ms. Between it and the next, every threshold that the brightness rises to or above
    emits a spike, and every one that it falls below, on another channel, at k ms. There are 39 thresholds,
    even from 0 to 254; rising to number i is channel 79 - i, falling below it 40 - i. Brightness 255 spikes
    on channel 0.
    """
    thresholds = np.linspace(0, 254, THRESHOLDS).astype(np.uint8)
    passed = np.searchsorted(thresholds, np.arange(256), side="right").astype(np.int16)  # how many lie below
    levels = passed[pixels]
    before, after = levels[:, :-1], levels[:, 1:]
    # Runs of spikes on neighbouring channels: [image, pixel, first channel, how many], each [runs].
    runs = [_runs(pixels == TOUCH, np.zeros_like(levels), np.ones_like(levels))]
    for low, high, top in ((before, after, CHANNELS), (after, before, THRESHOLDS + 1)):
        runs.append(_runs(high > low, top + 1 - high, high - low))
    image, pixel, first, count = np.concatenate(runs, axis=1)
    order = np.lexsort((first, pixel, image))
    image, pixel, first, count = image[order], pixel[order], first[order], count[order]
    starts = np.cumsum(count, dtype=np.int64) - count
    channels = np.arange(count.sum(dtype=np.int64), dtype=np.int32)
    channels += np.repeat((first - starts).astype(np.int32), count)
    times = np.repeat(pixel.astype(np.float32), count)
    lengths = np.bincount(image, weights=count, minlength=len(pixels)).astype(np.int64)
    return times, channels, lengths


def _runs(where: NDArray[np.bool_], first: NDArray[np.int16], count: NDArray[np.int16]) -> NDArray[np.int32]:
    image, pixel = np.nonzero(where)
    return np.array([image, pixel, first[image, pixel], count[image, pixel]], dtype=np.int32)
