"""Files whose times are in other units or of other types than SHD's."""

from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from spike_files import write_numbered

from model.datasets import DataConfig, DataError, SpikeDataset, load_dataset
from model.datasets.config import TimeUnit

MS = [[700.0, 250.0], [], [1000.0]]
KINDS = [
    (unit, order + size)
    for unit, order, size in product(("s", "ms", "us"), "<>", ("f2", "f4", "f8"))
    if (unit, size) != ("us", "f2")  # which ends at 65,504
]
UNITS: dict[TimeUnit, float] = {"s": 1e-3, "ms": 1.0, "us": 1e3}


def write(path: Path, times: list[list[float]], kind: Any, units: Any = np.uint16) -> Path:
    """A file with these times in three samples, on channels 0, 300, 600 and so on."""
    with h5py.File(path, "w") as file:
        for key, dtype in (("spikes/times", kind), ("spikes/units", units)):
            ragged = file.create_dataset(key, len(times), h5py.vlen_dtype(np.dtype(dtype)))
            for i, row in enumerate(times):
                ragged[i] = np.array(row if key == "spikes/times" else range(0, 300 * len(row), 300), dtype)
        file["labels"] = np.arange(len(times))
    return path


def written(path: Path, unit: TimeUnit, kind: Any) -> Path:
    return write(path, [[time * UNITS[unit] for time in row] for row in MS], kind)


@pytest.mark.parametrize(("unit", "kind"), KINDS)
def test_times_of_any_unit_size_and_byte_order_come_in_ms(tmp_path: Path, unit: TimeUnit, kind: str) -> None:
    data = SpikeDataset.from_hdf5(written(tmp_path / "a.h5", unit, kind), time_unit=unit)
    assert data.times.flat.dtype == (np.float64 if kind.endswith("8") else np.float32)
    assert data.times.flat.dtype.isnative
    assert [data.times[i].tolist() for i in range(3)] == [
        pytest.approx(sorted(row), rel=1e-3 if kind.endswith("2") else 1e-6) for row in MS
    ]
    assert [data.channels[i].tolist() for i in range(3)] == [[300, 0], [], [0]]


@pytest.mark.parametrize("kind", ["<u4", ">u4", "<i8", ">i8", ">u8", "<u2", ">i2"])
def test_times_may_be_whole_numbers_if_their_unit_is_said(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / "a.h5", "ms", kind)
    assert SpikeDataset.from_hdf5(path, time_unit="ms").times[0].tolist() == [250.0, 700.0]
    with pytest.raises(DataError, match=r"not a ragged list of floats \(seconds\).*say so by `time_unit`"):
        SpikeDataset.from_hdf5(path)


def test_whole_microseconds_are_exact(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", [[700_001, 16_777_217]], np.uint32)
    assert SpikeDataset.from_hdf5(path, time_unit="us").times[0].tolist() == [700.001, 16777.217]


@pytest.mark.parametrize("kind", [">u2", ">i4", ">u4", ">i8", ">u8", "<i8", "<u8"])
def test_units_of_any_size_and_byte_order_are_the_same_channels(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "a.h5", [[0.1, 0.2, 0.3]], np.float32, kind)
    assert np.array([0, 300, 600], kind).tobytes() in path.read_bytes()
    data = SpikeDataset.from_hdf5(path)
    assert (data.n_channels, data.channels[0].tolist()) == (601, [0, 300, 600])
    assert data.channels.flat.dtype == np.int32


@pytest.mark.parametrize(
    ("unit", "said", "message"),
    [
        (
            "ms",
            None,
            "lasts 850 s .* in seconds; if they are in milliseconds, say `time_unit: ms`",
        ),
        ("us", None, "lasts 850,000 s .* in seconds; if they are in microseconds, say `time_unit: us`"),
        ("us", "ms", "lasts 850 s .* in milliseconds; if they are in microseconds, say `time_unit: us`"),
        ("ms", "us", "lasts 0.85 ms .* in microseconds; if they are in milliseconds, say `time_unit: ms`"),
        ("s", "ms", "lasts 0.85 ms .* in milliseconds; if they are in seconds, say `time_unit: s`"),
        ("s", "us", "lasts 0.00085 ms .* in microseconds; if they are in seconds, say `time_unit: s`"),
    ],
)
def test_a_unit_that_can_hardly_be_is_refused(
    tmp_path: Path, unit: TimeUnit, said: TimeUnit | None, message: str
) -> None:
    with pytest.raises(DataError, match=rf"a\.h5: the median sample {message}"):
        SpikeDataset.from_hdf5(written(tmp_path / "a.h5", unit, np.float64), time_unit=said)


def test_whoever_says_seconds_is_believed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", "ms", np.float64)
    assert SpikeDataset.from_hdf5(path, time_unit="s").latest == 1_000_000.0


def test_samples_without_a_spike_or_with_one_at_0_say_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", [[], [0.0], [], [0.0], [0.5]], np.float32)
    assert SpikeDataset.from_hdf5(path).latest == 500.0
    assert SpikeDataset.from_hdf5(write(path, [[], [0.0]], np.float32)).latest == 0.0


def test_the_unit_is_that_of_training_and_test(tmp_path: Path) -> None:
    files = [write_numbered(tmp_path / f"{name}.h5", [0, 1] * 20) for name in ("train", "test")]
    parts = load_dataset(path=files[0], test=files[1], time_unit="ms")
    assert [part is not None and part.latest <= 39.0 for part in parts] == [True] * 3
    seconds = load_dataset(path=files[0], test=files[1])
    assert parts.train.times.flat.tolist() == [time / 1000 for time in seconds.train.times.flat]


def test_the_unit_is_one_of_three_and_for_files_alone() -> None:
    with pytest.raises(ValueError, match="`time_unit`: got 'min', expected one of s, ms, us or null"):
        DataConfig(path="a.h5", time_unit="min")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="`time_unit`: got 'min', expected one of s, ms, us"):
        SpikeDataset.from_hdf5("a.h5", time_unit="min")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`time_unit` goes with `path`"):
        DataConfig(name="shd", time_unit="s")
