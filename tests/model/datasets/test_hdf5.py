"""What goes wrong with a file that is in order, or seems to be: the real fault, and its cure."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from spike_files import write_ntidigits, write_shd

from model.datasets import DataError, SpikeDataset
from model.datasets.ntidigits import read_ntidigits

HOLD = """
import sys, h5py, numpy
file = h5py.File(sys.argv[1], sys.argv[2], libver="latest")
if sys.argv[3] == "swmr":
    file.swmr_mode = True
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_shd(tmp_path / "small.h5", [[0.5], [0.25]], [[3], [4]], [1, 0])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("locked", r"is held by another process, which writes it; wait .*HDF5_USE_FILE_LOCKING"),
        ("swmr", r"is marked as being written \(SWMR\), by a process .* `h5clear -s FILE`"),
    ],
)
def test_a_file_that_another_process_writes(tmp_path: Path, how: str, message: str) -> None:
    path = tmp_path / "held.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["a"] = [1]
    command = [sys.executable, "-c", HOLD, str(path), "r+", how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for read in (SpikeDataset.from_hdf5, read_ntidigits):
            with pytest.raises(DataError, match=rf"held\.h5: {message}") as error:
                read(path)
            assert "fetch" not in str(error.value)


def test_a_link_that_leads_nowhere_is_named(small: Path) -> None:
    with h5py.File(small, "r+") as file:
        file["extra/speaker"] = h5py.SoftLink("/nowhere/speaker")
    with pytest.raises(
        DataError, match=r"small\.h5: `extra/speaker` is a link to `/nowhere/speaker` that leads"
    ):
        SpikeDataset.from_hdf5(small)
    with h5py.File(small, "r+") as file:
        del file["extra"]
        del file["labels"]
        file["labels"] = h5py.ExternalLink("none.h5", "/labels")
    with pytest.raises(DataError, match=r"`labels` is a link to `none\.h5:/labels` that leads nowhere; mend"):
        SpikeDataset.from_hdf5(small)


def test_links_that_lead_somewhere_are_followed(small: Path) -> None:
    with h5py.File(small, "r+") as file:
        file.move("labels", "elsewhere")
        file["labels"] = h5py.SoftLink("/elsewhere")
        file["all"] = h5py.SoftLink("/spikes")
    assert SpikeDataset.from_hdf5(small).labels.tolist() == [1, 0]


def test_a_file_that_is_a_dangling_link_is_called_so(tmp_path: Path) -> None:
    link = tmp_path / "link.h5"
    link.symlink_to(tmp_path / "gone.h5")
    with pytest.raises(DataError, match=r"link\.h5: is a link to `.*gone\.h5`, where there is no file; mend"):
        SpikeDataset.from_hdf5(link)
    with pytest.raises(DataError, match=r"cannot be looked for .*; check the path"):
        SpikeDataset.from_hdf5(tmp_path / ("x" * 5000))


def test_what_hdf5_says_becomes_words(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "[Errno 13] Unable to open file (error message = 'Permission denied')": "may not be read; make it",
        "Can't read data (required filter 'blosc' is not registered)": "is packed by a filter",
        "Can't read data (can't open directory (/usr/lib/plugin))": "is packed by a filter",
    }
    for words, message in said.items():
        monkeypatch.setattr(h5py, "File", lambda *_, words=words: (_ for _ in ()).throw(OSError(words)))
        with pytest.raises(DataError, match=rf"small\.h5: {message}"):
            SpikeDataset.from_hdf5(small)


def test_lists_that_other_files_hold(small: Path) -> None:
    """HDF5 would read a missing source as zeros."""
    layout = h5py.VirtualLayout((2,), np.uint16)
    layout[:] = h5py.VirtualSource("source.h5", "labels", shape=(2,))
    with h5py.File(small, "r+") as file:
        del file["labels"]
        file.create_virtual_dataset("labels", layout, fillvalue=0)
    with pytest.raises(
        DataError, match=r"small\.h5: `labels` is put together from `source\.h5`, which is not"
    ):
        SpikeDataset.from_hdf5(small)
    with h5py.File(small.with_name("source.h5"), "w") as source:
        source["labels"] = np.array([1, 0], np.uint16)
    assert SpikeDataset.from_hdf5(small).labels.tolist() == [1, 0]
    with h5py.File(small, "r+") as file:
        del file["labels"]
        file.create_dataset("labels", (2,), np.uint16, external=[(str(small.with_name("raw")), 0, 4)])
    with pytest.raises(DataError, match=r"small\.h5: keeps numbers in another file, which is not there"):
        SpikeDataset.from_hdf5(small)


def test_a_list_that_claims_more_than_there_is_memory(small: Path) -> None:
    with h5py.File(small, "r+") as file:
        del file["labels"]
        file.create_dataset("labels", (10**17,), np.uint16, chunks=(1000,))
    with pytest.raises(DataError, match=r"small\.h5: claims to be larger than the memory"):
        SpikeDataset.from_hdf5(small)


def test_ntidigits_with_channels_that_are_none(tmp_path: Path) -> None:
    for bad in (3.5, np.nan):
        with h5py.File(write_ntidigits(tmp_path / "n.hdf5"), "r+") as file:
            file["test_addresses/man-bc-a-9"][1] = bad
        with pytest.raises(DataError, match=rf"n\.hdf5: `test_addresses/man-bc-a-9`: {bad} is no channel"):
            read_ntidigits(tmp_path / "n.hdf5")


def test_ntidigits_of_the_other_byte_order(tmp_path: Path) -> None:
    path = write_ntidigits(tmp_path / "n.hdf5")
    plain = [part.digest() for part in read_ntidigits(path)]
    with h5py.File(path, "r+") as file:
        for group in ("train_timestamps", "train_addresses", "test_timestamps", "test_addresses"):
            for name in list(file[group]):
                values = file[group][name][:]
                del file[group][name]
                file[group][name] = values.astype(values.dtype.newbyteorder("S"))
    assert [part.digest() for part in read_ntidigits(path)] == plain


def test_ntidigits_whose_labels_are_a_folder(tmp_path: Path) -> None:
    with h5py.File(write_ntidigits(tmp_path / "n.hdf5"), "r+") as file:
        del file["train_labels"]
        file.create_group("train_labels")
    with pytest.raises(DataError, match=r"n\.hdf5: cannot be read as N-TIDIGITS"):
        read_ntidigits(tmp_path / "n.hdf5")
