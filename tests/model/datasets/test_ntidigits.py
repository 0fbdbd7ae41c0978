from pathlib import Path

import h5py
import pytest
from spike_files import write_ntidigits

from model.datasets.ntidigits import read_ntidigits
from model.datasets.ragged import DataError


def test_single_digits_with_their_speakers(tmp_path: Path) -> None:
    train, test = read_ntidigits(write_ntidigits(tmp_path / "n.hdf5"))
    assert train.labels.tolist() == [1, 10, 0]
    assert test.labels.tolist() == [9, 0]
    assert train.groups is not None and train.groups.tolist() == [2, 0, 0]  # man-ae, man-bc, woman-ac
    assert test.groups is not None and test.groups.tolist() == [1, 2]
    assert [train.times[i].tolist() for i in range(3)] == [[0.0, 62.5], [62.5, 125.0], [62.5, 375.0]]
    assert [train.channels[i].tolist() for i in range(3)] == [[63, 0], [1, 63], [3, 63]]
    assert {(part.n_channels, part.n_classes) for part in (train, test)} == {(64, 11)}


def test_what_is_not_in_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.hdf5"
    path.write_bytes(b"no HDF5")
    with pytest.raises(DataError, match=r"n\.hdf5: cannot be read as N-TIDIGITS .* fetch it again"):
        read_ntidigits(path)
    for bad in ("woman-ac-a-x", "nonsense-1"):
        with pytest.raises(DataError, match="cannot be read as N-TIDIGITS"):
            read_ntidigits(write_ntidigits(path, train=[bad]))
    with pytest.raises(DataError, match="`test_labels` names no single digit"):
        read_ntidigits(write_ntidigits(path, test=["man-bc-a-99"]))
    with h5py.File(write_ntidigits(path), "r+") as file:
        file["test_addresses/man-bc-a-9"][0] = 64
    with pytest.raises(DataError, match=r"n\.hdf5: test: .*sample 0: channel 64 is out of range"):
        read_ntidigits(path)
    with h5py.File(write_ntidigits(path), "r+") as file:
        del file["test_timestamps/man-bc-a-9"]
    with pytest.raises(DataError, match="cannot be read as N-TIDIGITS"):
        read_ntidigits(path)
