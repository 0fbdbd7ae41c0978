"""Sets that are had by name, from small files where the published ones would be."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from model.datasets import DataError, load_dataset
from model.datasets.config import DATASETS, FIXED_SPLITS, GROUPED, MADE_OF_FILES
from model.datasets.load import FIXED, UNDIVIDED


def write_shd(path: Path, labels: list[int], speakers: list[int] | None = None) -> None:
    """Sample i of the file has one spike, at i ms on channel i."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", len(labels), h5py.vlen_dtype(np.float32))
        units = file.create_dataset("spikes/units", len(labels), h5py.vlen_dtype(np.uint16))
        for i in range(len(labels)):
            times[i], units[i] = [i / 1000], [i]
        file["labels"] = np.array(labels)
        if speakers is not None:
            file["extra/speaker"] = np.array(speakers)


def test_every_name_is_loaded_by_something() -> None:
    assert {*FIXED, *MADE_OF_FILES} == set(FIXED_SPLITS)
    assert {*FIXED, *UNDIVIDED, *MADE_OF_FILES} == set(DATASETS)
    assert set(GROUPED) <= set(UNDIVIDED)


def test_shd_by_share_and_by_speaker(data_home: Path) -> None:
    write_shd(data_home / "shd/shd_train.h5", [0, 1] * 10, [3] * 4 + [7] * 16)
    write_shd(data_home / "shd/shd_test.h5", [19, 0], [3, 8])
    train, validation, test = load_dataset("shd", validation=0.2)
    assert (len(train), len(validation)) == (16, 4)
    assert np.bincount(validation.labels).tolist() == [2, 2]
    assert test is not None and test.groups is not None and test.groups.tolist() == [3, 8]
    assert {(part.n_channels, part.n_classes) for part in (train, validation, test)} == {(700, 20)}
    train, validation, test = load_dataset("shd", validation_group=3)
    assert validation.channels.flat.tolist() == [0, 1, 2, 3]
    assert train.channels.flat.tolist() == list(range(4, 20))
    assert test is not None and test.labels.tolist() == [19, 0]


def test_ssc_has_its_own_validation_set(data_home: Path) -> None:
    for part, label in (("train", 1), ("valid", 2), ("test", 34)):
        write_shd(data_home / f"ssc/ssc_{part}.h5", [label] * label)
    parts = load_dataset("ssc")
    assert [None if part is None else part.labels.tolist() for part in parts] == [[1], [2] * 2, [34] * 34]
    assert {(part.n_channels, part.n_classes) for part in parts if part is not None} == {(700, 35)}


def test_ntidigits_takes_whole_speakers(data_home: Path) -> None:
    (data_home / "ntidigits").mkdir(parents=True)
    with h5py.File(data_home / "ntidigits/n-tidigits.hdf5", "w") as file:
        names = {"train": ["man-aa-a-1", "man-ab-a-1", "man-ab-b-2"], "test": ["man-ba-a-3"]}
        for part, listed in names.items():
            file[f"{part}_labels"] = np.array(listed, "S")
            for name in listed:
                file[f"{part}_timestamps/{name}"] = np.array([0.5])
                file[f"{part}_addresses/{name}"] = np.array([5])
    train, validation, test = load_dataset("ntidigits", validation_group=1)
    assert train.labels.tolist() == [1] and validation.labels.tolist() == [1, 2]
    assert test is not None and test.labels.tolist() == [3]


def test_smnist_holds_out_a_share(data_home: Path) -> None:
    folder = data_home / "smnist"
    folder.mkdir(parents=True)
    for part, count in (("train", 20), ("t10k", 3)):
        sizes = np.array([2051, count, 2, 2, 2049, count], ">u4")
        images = np.full((count, 4), 255, np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(sizes[:4].tobytes() + images.tobytes())
        labels = np.arange(count, dtype=np.uint8) % 2
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(sizes[4:].tobytes() + labels.tobytes())
    train, validation, test = load_dataset("smnist", validation=0.2, seed=3)
    assert test is not None and (len(train), len(validation), len(test)) == (16, 4, 3)
    assert test.times[0].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_braille_is_split_once_and_for_all(data_home: Path) -> None:
    labels = [letter for letter in range(27) for _ in range(10)]
    write_shd(data_home / "braille.h5", labels)
    with h5py.File(data_home / "braille.h5", "r+") as file:
        for i in range(len(labels)):
            file["spikes/units"][i] = [i % 24]
    parts = load_dataset("braille")
    seen = []
    for part, each in zip(parts, (7, 1, 2), strict=True):
        assert part is not None and (part.n_channels, part.n_classes) == (24, 27)
        assert np.bincount(part.labels).tolist() == [each] * 27
        seen += np.rint(part.times.flat).astype(int).tolist()
    assert sorted(seen) == list(range(270))
    again = load_dataset("braille")
    assert [one.digest() for one in again if one] == [one.digest() for one in parts if one]


def test_braille_that_is_not_there_says_how_to_make_it(data_home: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset("braille")
    text = str(caught.value)
    assert text.startswith(f"{data_home}/braille.h5: there is no such file")
    assert f"python -m model.datasets.braille data_braille_letters_th_1.pkl {data_home}/braille.h5" in text
    assert "zenodo.org/records/7050094" in text
