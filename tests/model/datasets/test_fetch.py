import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model.datasets.fetch import FILES, data_folder, fetch
from model.datasets.ragged import DataError

Fake = Callable[..., list[tuple[str, dict[str, Any]]]]


@pytest.fixture
def tonic(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Stands for tonic: writes `content` under the names in `files`; returns the list of its calls."""

    def install(
        files: dict[str, list[str]], content: str = "fetched", fault: Exception | None = None
    ) -> list[tuple[str, dict[str, Any]]]:
        calls: list[tuple[str, dict[str, Any]]] = []

        def dataset(kind: str) -> Callable[..., object]:
            def construct(save_to: str, **arguments: Any) -> object:
                calls.append((kind, arguments))
                folder = Path(save_to) / kind
                folder.mkdir(parents=True)
                for file in files[str(next(iter(arguments.values())))]:
                    (folder / file).write_text(content)
                if fault is not None:
                    raise fault
                return object()

            return construct

        kinds = ("SHD", "SSC", "NTIDIGITS18", "SMNIST")
        monkeypatch.setitem(
            sys.modules, "tonic.datasets", SimpleNamespace(**{kind: dataset(kind) for kind in kinds})
        )
        return calls

    return install


def visible(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name != ".lock")


def test_the_folder_is_named_by_the_environment_or_in_the_home(
    data_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_folder() == data_home
    monkeypatch.delenv("POLYCHRONY_DATA")
    monkeypatch.setenv("HOME", str(data_home))
    assert data_folder() == data_home / ".cache" / "polychrony"


def test_files_that_are_there_need_no_tonic(data_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tonic.datasets", None)
    (data_home / "shd").mkdir(parents=True)
    for file in ("shd_train.h5", "shd_test.h5"):
        (data_home / "shd" / file).touch()
    assert fetch("shd") == data_home / "shd"
    assert visible(data_home / "shd") == ["shd_test.h5", "shd_train.h5"]


def test_what_is_missing_is_fetched_once(data_home: Path, tonic: Fake) -> None:
    calls = tonic({"True": ["shd_train.h5", "shd_train.h5.zip"], "False": ["shd_test.h5", "shd_test.h5.zip"]})
    for _ in range(2):
        folder = fetch("shd")
    assert calls == [("SHD", {"train": True}), ("SHD", {"train": False})]
    assert visible(folder) == ["shd_test.h5", "shd_train.h5"]
    assert (folder / "shd_train.h5").read_text() == "fetched"


def test_a_file_that_is_there_is_not_fetched_again(data_home: Path, tonic: Fake) -> None:
    (data_home / "ssc").mkdir(parents=True)
    (data_home / "ssc" / "ssc_valid.h5").write_text("mine")
    calls = tonic({part: [f"ssc_{part}.h5"] for part in ("train", "test")})
    folder = fetch("ssc")
    assert calls == [("SSC", {"split": "train"}), ("SSC", {"split": "test"})]
    assert (folder / "ssc_valid.h5").read_text() == "mine"


def test_files_that_come_together_are_fetched_together(data_home: Path, tonic: Fake) -> None:
    files = {
        str(part == "train"): [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
        for part in ("train", "t10k")
    }
    calls = tonic(files)
    assert visible(fetch("smnist")) == sorted(FILES["smnist"])
    assert calls == [("SMNIST", {"train": True}), ("SMNIST", {"train": False})]


def test_without_network_the_error_says_what_to_put_where(data_home: Path, tonic: Fake) -> None:
    tonic({"True": ["shd_train.h5"]}, content="half a fi", fault=OSError("no route to host"))
    with pytest.raises(DataError) as caught:
        fetch("shd")
    text = str(caught.value)
    assert text.startswith(f"{data_home}/shd: shd_train.h5, shd_test.h5 not there, and fetching failed")
    assert "OSError: no route to host" in text
    for file in ("shd_train.h5", "shd_test.h5"):
        assert f"{file} (unpacked from https://zenkelab.org/datasets/{file}.zip)" in text
    assert visible(data_home / "shd") == []


def test_without_tonic_the_error_says_how_to_get_it(data_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tonic.datasets", None)
    with pytest.raises(DataError, match=r"pip install 'polychrony\[datasets\]'; or put there by hand: n-tid"):
        fetch("ntidigits")


def test_a_folder_that_cannot_be_written_is_an_error(data_home: Path, tonic: Fake) -> None:
    data_home.write_text("a file")
    tonic({})
    with pytest.raises(DataError, match=r"Error: .*data/shd"):
        fetch("shd")


def test_what_brings_nothing_does_not_go_on_for_ever(data_home: Path, tonic: Fake) -> None:
    tonic({"True": ["readme"]})
    with pytest.raises(DataError, match=r"tonic brought none of shd_train\.h5, shd_test\.h5"):
        fetch("shd")


def test_a_file_whose_checksum_tonic_does_not_look_at_is_checked(
    data_home: Path, tonic: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    tonic({"True": ["n-tidigits.hdf5"]}, content="spikes")
    with pytest.raises(DataError, match=r"n-tidigits\.hdf5 arrived damaged"):
        fetch("ntidigits")
    assert visible(data_home / "ntidigits") == []
    remote = FILES["ntidigits"]["n-tidigits.hdf5"]
    whole = remote._replace(md5=hashlib.md5(b"spikes").hexdigest())
    monkeypatch.setitem(FILES["ntidigits"], "n-tidigits.hdf5", whole)
    assert visible(fetch("ntidigits")) == ["n-tidigits.hdf5"]
