"""Published data sets that lie in the data folder, or are fetched into it on first use."""

from pathlib import Path

import numpy as np

from model.datasets.fetch import data_folder, fetch
from model.datasets.ntidigits import read_ntidigits
from model.datasets.ragged import DataError
from model.datasets.smnist import read_smnist
from model.datasets.spikes import SpikeDataset
from model.datasets.split import stratified

SHD_CHANNELS = 700
BRAILLE_TEST, BRAILLE_VALIDATION = 0.2, 0.1  # shares, as in the paper


def load_shd() -> tuple[SpikeDataset, SpikeDataset]:
    """Training and test set of the Spiking Heidelberg Digits: 8,156 and 2,264 spoken digits.

    700 channels, 20 classes (zero to nine in English and in German); groups are the 12 speakers, two of whom
    are in the test set alone.

    Source: Cramer, Stradmann, Schemmel, Zenke, IEEE TNNLS 2020, doi:10.1109/TNNLS.2020.3044364.
    """
    folder = fetch("shd")
    train, test = (
        SpikeDataset.from_hdf5(folder / f"shd_{part}.h5", SHD_CHANNELS, 20) for part in ("train", "test")
    )
    return train, test


def load_ssc() -> tuple[SpikeDataset, SpikeDataset, SpikeDataset]:
    """Training, validation and test set of the Spiking Speech Commands: 75,466, 9,981 and 20,382 words.

    700 channels, 35 classes. Source: as for SHD.
    """
    folder = fetch("ssc")
    train, validation, test = (
        SpikeDataset.from_hdf5(folder / f"ssc_{part}.h5", SHD_CHANNELS, 35)
        for part in ("train", "valid", "test")
    )
    return train, validation, test


def load_ntidigits() -> tuple[SpikeDataset, SpikeDataset]:
    """Training and test set of N-TIDIGITS; see `read_ntidigits`."""
    return read_ntidigits(fetch("ntidigits") / "n-tidigits.hdf5")


def load_smnist() -> tuple[SpikeDataset, SpikeDataset]:
    """Training and test set of sequential MNIST: 60,000 and 10,000 images; see `read_smnist`."""
    folder = fetch("smnist")
    train, test = (
        read_smnist(folder / f"{part}-images-idx3-ubyte", folder / f"{part}-labels-idx1-ubyte")
        for part in ("train", "t10k")
    )
    return train, test


def load_braille() -> tuple[SpikeDataset, SpikeDataset, SpikeDataset]:
    """Training, validation and test split (70, 10 and 20 % of each letter) of the converted Braille letters.

    24 channels, 27 classes; see `model.datasets.braille`, which makes the file. The split is drawn once and
    for all.

    Raises DataError if the file is not there.
    """
    path = data_folder() / "braille.h5"
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; {_braille_cure(path)}")
    data = SpikeDataset.from_hdf5(path, n_channels=24, n_classes=27)
    rng = np.random.default_rng(0)
    test, rest = stratified(data.labels, round(BRAILLE_TEST * len(data)), rng)
    validation, train = stratified(data.labels[rest], round(BRAILLE_VALIDATION * len(data)), rng)
    return data.subset(rest[train]), data.subset(rest[validation]), data.subset(test)


def _braille_cure(path: Path) -> str:
    source = "fetch and unpack https://zenodo.org/records/7050094/files/reading_braille_data.zip"
    return f"{source}, then: python -m model.datasets.braille data_braille_letters_th_1.pkl {path}"
