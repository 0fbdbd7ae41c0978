import struct
from pathlib import Path

import numpy as np
import pytest

from model.datasets.ragged import DataError
from model.datasets.smnist import encode, read_smnist


def naive(image: list[int]) -> list[tuple[int, int]]:
    """Spikes (ms, channel) of one image, threshold by threshold."""
    spikes = []
    thresholds = [int(254 * i / 38) for i in range(39)]
    for k, value in enumerate(image):
        if value == 255:
            spikes.append((k, 0))
        for i, threshold in enumerate(thresholds):
            if k + 1 < len(image) and value < threshold <= image[k + 1]:
                spikes.append((k, 79 - i))
            if k + 1 < len(image) and image[k + 1] < threshold <= value:
                spikes.append((k, 40 - i))
    return sorted(spikes)


def write(folder: Path, images: np.ndarray, labels: list[int], part: str = "train") -> tuple[Path, Path]:
    """Files as MNIST has them."""
    paths = folder / f"{part}-images-idx3-ubyte", folder / f"{part}-labels-idx1-ubyte"
    paths[0].write_bytes(struct.pack(">4I", 2051, *images.shape) + images.astype(np.uint8).tobytes())
    paths[1].write_bytes(struct.pack(">2I", 2049, len(labels)) + bytes(labels))
    return paths


def test_spikes_are_those_of_the_definition(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (20, 5, 6)) * draw.integers(0, 2, (20, 5, 6))
    images[0], images[1] = 0, 255
    images[2, :, ::2] = 255
    data = read_smnist(*write(tmp_path, images, [i % 10 for i in range(20)]))
    assert (data.n_channels, data.n_classes, data.groups) == (79, 10, None)
    assert data.labels.tolist() == [i % 10 for i in range(20)]
    for i in range(20):
        found = list(zip(data.times[i].tolist(), data.channels[i].tolist(), strict=True))
        assert found == naive(images[i].ravel().tolist()), i


def test_a_step_up_passes_every_threshold_once() -> None:
    times, channels, lengths = encode(np.array([[0, 254, 0]], dtype=np.uint8))
    assert channels.tolist() == [*range(41, 79), *range(2, 40)]  # the threshold at 0 is never passed
    assert times.tolist() == [0.0] * 38 + [1.0] * 38
    assert lengths.tolist() == [76]


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    images, labels = write(tmp_path, np.zeros((3, 2, 2)), [0, 1, 2])
    with pytest.raises(DataError, match="labels-idx1-ubyte: is not an unpacked MNIST file"):
        read_smnist(labels, labels)
    for content in (images.read_bytes()[:-1], images.read_bytes() + b"\0", b"\x1f\x8b", b""):
        images.write_bytes(content)
        with pytest.raises(DataError, match="images-idx3-ubyte: is not an unpacked MNIST file, or cut short"):
            read_smnist(images, labels)
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        read_smnist(tmp_path / "nowhere", labels)


@pytest.mark.parametrize("shape", [(0, 28, 28), (2, 0, 0)])
def test_files_without_a_pixel_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="images-idx3-ubyte: holds no image"):
        read_smnist(*write(tmp_path, np.zeros(shape), [0] * shape[0]))


def test_as_many_labels_as_images_are_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 images, but 2 labels"):
        read_smnist(*write(tmp_path, np.zeros((3, 2, 2)), [0, 1]))
