from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from spike_files import write_shd

from model.datasets import DataError, SpikeDataset


@pytest.fixture
def small(tmp_path: Path) -> Path:
    times, units = [[0.5, 0.25], [], [1.5, 2.0, 2.5]], [[3, 4], [], [0, 1, 9]]
    names = np.array([b"zero", b"one", b"two", b"three"])
    return write_shd(tmp_path / "small.h5", times, units, [1, 0, 2], speaker=np.array([4, 5, 4]), keys=names)


def test_times_come_in_ms_sorted_with_their_channels(small: Path) -> None:
    data = SpikeDataset.from_hdf5(small)
    assert [data.times[i].tolist() for i in range(3)] == [[250.0, 500.0], [], [1500.0, 2000.0, 2500.0]]
    assert [data.channels[i].tolist() for i in range(3)] == [[4, 3], [], [0, 1, 9]]
    assert data.labels.tolist() == [1, 0, 2]
    assert data.groups is not None and data.groups.tolist() == [4, 5, 4]
    assert (data.n_channels, data.n_classes, data.latest) == (10, 4, 2500.0)


def test_float16_seconds_beyond_65_s_do_not_overflow_in_ms(tmp_path: Path) -> None:
    data = SpikeDataset.from_hdf5(write_shd(tmp_path / "long.h5", [[100.0]], [[0]], [0]), time_unit="s")
    assert data.times.flat.dtype == np.float32
    assert data.latest == 100_000.0


def test_float64_files_stay_float64(tmp_path: Path) -> None:
    data = SpikeDataset.from_hdf5(write_shd(tmp_path / "fine.h5", [[0.1]], [[0]], [0], kind=np.float64))
    assert data.times.flat.dtype == np.float64
    assert data.latest == 0.1 * 1000


def test_sizes_default_to_what_the_file_holds_and_can_be_given(tmp_path: Path) -> None:
    path = write_shd(tmp_path / "bare.h5", [[0.1], []], [[6], []], [0, 3])
    data = SpikeDataset.from_hdf5(path)
    assert (data.n_channels, data.n_classes, data.groups) == (7, 4, None)
    data = SpikeDataset.from_hdf5(path, n_channels=700, n_classes=20)
    assert (data.n_channels, data.n_classes) == (700, 20)
    with pytest.raises(DataError, match=r"bare\.h5: sample 0: channel 6 is out of range, expected 0 to 5"):
        SpikeDataset.from_hdf5(path, n_channels=6)


def test_numbers_too_large_to_be_channels_are_refused(tmp_path: Path) -> None:
    path = write_shd(tmp_path / "wild.h5", [[0.1]], [[0]], [0])
    with h5py.File(path, "a") as file:
        del file["spikes/units"]
        file.create_dataset("spikes/units", 1, h5py.vlen_dtype(np.uint64))[0] = np.array([2**40], np.uint64)
    with pytest.raises(
        DataError, match=r"wild\.h5: `spikes/units`: got channel 1099511627776, expected less"
    ):
        SpikeDataset.from_hdf5(path)


def test_a_file_without_a_spike_is_legal(tmp_path: Path) -> None:
    data = SpikeDataset.from_hdf5(write_shd(tmp_path / "silent.h5", [[], []], [[], []], [0, 1]))
    assert (len(data), data.latest, data.n_channels) == (2, 0.0, 1)


@pytest.mark.parametrize("key", ["spikes/times", "spikes/units", "spikes", "labels"])
def test_a_missing_key_is_named(small: Path, key: str) -> None:
    with h5py.File(small, "a") as file:
        del file[key]
    with pytest.raises(DataError, match=rf"small\.h5: `{key}.*` is missing .*SHD layout"):
        SpikeDataset.from_hdf5(small)


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("spikes/times", np.zeros(3), "`spikes/times` is not a ragged list of floats"),
        ("spikes/units", np.zeros((3, 2)), "`spikes/units` is missing or not a list"),
        ("labels", np.zeros(2, dtype=int), "`labels`: got shape"),
        ("labels", np.zeros(3), "`labels`: got .* float64"),
        ("labels", np.array([0, 4, 0]), "sample 1: label 4 is out of range, expected 0 to 3"),
        ("extra/speaker", np.zeros(2, dtype=int), "`groups`: got shape"),
    ],
)
def test_a_foreign_layout_is_refused(small: Path, key: str, values: Any, message: str) -> None:
    with h5py.File(small, "a") as file:
        del file[key]
        file[key] = values
    with pytest.raises(DataError, match=rf"small\.h5: .*{message}"):
        SpikeDataset.from_hdf5(small)


@pytest.mark.parametrize("values", [np.array([np.nan, 0, 0]), np.array([b"a", b"b", b"c"])])
def test_labels_of_a_foreign_type_are_refused_where_classes_have_no_names(small: Path, values: Any) -> None:
    with h5py.File(small, "a") as file:
        del file["labels"], file["extra/keys"]
        file["labels"] = values
    with pytest.raises(DataError, match=r"small\.h5: `labels`: got shape .* expected 3 whole numbers"):
        SpikeDataset.from_hdf5(small)


def test_units_that_are_floats_are_refused(small: Path) -> None:
    with h5py.File(small, "a") as file:
        times = file["spikes/times"]
        del file["spikes/units"]
        file.copy(times, "spikes/units")
    with pytest.raises(DataError, match="`spikes/units` is not a ragged list of whole numbers"):
        SpikeDataset.from_hdf5(small)


@pytest.mark.parametrize(
    ("times", "units", "labels", "message"),
    [
        ([], [], [], "holds no samples"),
        ([[0.1], [0.1, 0.2]], [[0], [0]], [0, 0], "sample 1: 2 times and 1 channels"),
        ([[0.1], [0.2]], [[0]], [0, 0], "2 samples in `spikes/times` and 1 in `spikes/units`"),
        ([[], [0.1, -0.5]], [[], [0, 0]], [0, 0], r"sample 1: time -500\.0 ms is below 0"),
        ([[0.1], [np.nan]], [[0], [0]], [0, 0], "sample 1: time nan is not finite"),
    ],
)
def test_faulty_content_is_refused_by_file_and_sample(
    tmp_path: Path, times: list[Any], units: list[Any], labels: list[int], message: str
) -> None:
    path = write_shd(tmp_path / "bad.h5", times, units, labels)
    with pytest.raises(DataError, match=rf"bad\.h5: {message}"):
        SpikeDataset.from_hdf5(path)


def test_times_too_large_for_float32_are_refused_without_a_warning(tmp_path: Path) -> None:
    path = write_shd(tmp_path / "far.h5", [[1e38]], [[0]], [0], kind=np.float32)
    with pytest.raises(DataError, match="sample 0: time inf is not finite"):
        SpikeDataset.from_hdf5(path)


def test_missing_foreign_and_truncated_files_say_so(small: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        SpikeDataset.from_hdf5(small.with_name("none.h5"))
    with pytest.raises(DataError, match="there is no such file"):
        SpikeDataset.from_hdf5(small.parent)
    foreign = small.with_name("foreign.h5")
    foreign.write_text("times,units\n")
    with pytest.raises(DataError, match=r"foreign\.h5: cannot be read as HDF5"):
        SpikeDataset.from_hdf5(foreign)
    whole = small.read_bytes()
    for length in (0, 8, 100, len(whole) // 2, len(whole) - 1):
        foreign.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"foreign\.h5: cannot be read as HDF5"):
            SpikeDataset.from_hdf5(foreign)


@pytest.mark.parametrize("key", ["spikes/times", "labels", "extra/keys"])
def test_a_damaged_object_is_refused(small: Path, key: str) -> None:
    with h5py.File(small, "r") as file:
        header = h5py.h5o.get_info(file[key].id).addr
    damaged = bytearray(small.read_bytes())
    damaged[header] = 255  # the version of the object header
    small.write_bytes(damaged)
    with pytest.raises(DataError, match=r"small\.h5: cannot be read as HDF5"):
        SpikeDataset.from_hdf5(small)
