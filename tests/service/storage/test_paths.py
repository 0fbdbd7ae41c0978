"""Places: what is a place, and what can be done on an object store."""

import io
import pickle
from pathlib import Path

import pyarrow as pa
import pytest
from object_store import ObjectStore

from service.errors import SweepError, UserError
from service.storage.atomic import UnwritableError, write_whole
from service.storage.layout import sweep_folders
from service.storage.paths import ObjectPath, StoragePath, list_folder, parse_path, stored_files


def test_folders_are_paths(tmp_path: Path) -> None:
    assert parse_path("runs") == Path("runs") and parse_path(tmp_path) is tmp_path
    assert parse_path("file:///data/my%20runs") == Path("/data/my runs")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("hdfs://host/runs", "is no place for sweeps; give a folder, or a URL such as s3://"),
        ("https://host/runs", "is no place for sweeps"),
        ("s3://me:secret@bucket/runs", "holds a password"),
        ("s3:///runs", "can't be used"),
        ("gs://", "names no bucket"),
        ("runs/lat_\udce9", r"runs/lat_\\udce9: is no name in UTF-8"),
        ("file:///lat_%E9/runs", r"/lat_\\udce9/runs: is no name in UTF-8"),
        ("s3://bucket/lat_\udce9", r"s3://bucket/lat_\\udce9: is no name in UTF-8"),
        ("s3://bucket/runs#1", "has a # in it.* write it as %23"),
        ("file:///data/what?now", "is no address of a folder here; write .* as %3F"),
        ("file:///data/#1", "is no address of a folder here"),
        ("file://host/data", "is no address of a folder here"),
    ],
)
def test_what_is_no_place_is_the_users_mistake(url: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault) as caught:
        parse_path(url)
    assert "secret" not in str(caught.value)


def test_a_url_is_joined_before_its_query_and_sent_to_workers() -> None:
    runs = parse_path("gs://bucket/runs/?scheme=http")
    assert isinstance(runs, ObjectPath)
    path = runs / "wiring" / "log.jsonl"
    assert str(path) == "gs://bucket/runs/wiring/log.jsonl?scheme=http"
    assert (path.key, path.name, path.stem) == ("bucket/runs/wiring/log.jsonl", "log.jsonl", "log")
    assert path.parent.parent == runs.absolute() and runs.parent.parent.key == "bucket"
    assert pickle.loads(pickle.dumps(path)) == path


def test_files_and_folders(home: StoragePath) -> None:
    for name in ("wiring/sweep.yaml", "wiring/tables/a", ".hidden/sweep.yaml", "notes/a.txt"):
        write_whole(home / name, name.encode())
    write_whole(home / "wiring/sweep.yaml", b"anew")
    assert [path.name for path in list_folder(home)] == [".hidden", "notes", "wiring"]
    assert [path.name for path in sweep_folders(home)] == ["wiring"]
    assert (home / "wiring" / "sweep.yaml").read_text() == "anew"
    assert (home / "wiring").exists() and not (home / "wiring").is_file()
    assert not (home / "wirin").exists() and list_folder(home / "wirin") == []
    assert sorted(one.size for one in stored_files(home / "wiring")) == [4, 15]
    assert [one.size for one in stored_files(home / "notes" / "a.txt")] == [11]
    assert stored_files(home / "none") == []
    (home / "notes" / "a.txt").unlink()
    (home / "notes" / "a.txt").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        (home / "notes" / "a.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.txt"):
        (home / "notes" / "a.txt").read_bytes()


def test_what_fails_is_named() -> None:
    store = ObjectStore()

    def refuse(what: str, key: str) -> None:
        raise OSError(f"AWS Error ACCESS_DENIED when {what}\nand so on")

    store.fail = refuse
    with pytest.raises(UnwritableError, match=r"mem://bucket/runs/a: can't be written \(AWS .* when write\)"):
        write_whole(store.path() / "a", b"")
    assert store.files == {}


class Replaced(ObjectStore):
    """Whoever reads first asked for the length of an old file, and gets so much of the new one."""

    cut = 3

    def open_input_file(self, path: str) -> pa.NativeFile:
        content, self.cut = self.files[path][0][: self.cut], 1000
        return pa.PythonFile(io.BytesIO(content), mode="r")


def test_a_file_that_is_replaced_while_it_is_read() -> None:
    path = Replaced().path() / "a"
    path.write_bytes(b"new and longer")
    assert path.read_bytes() == b"new and longer"


def test_a_guard_is_asked_before_each_change_also_below() -> None:
    asked = []
    store = ObjectStore()
    folder = store.path().guarded(lambda: asked.append(1))
    path = folder / "tables" / "a"
    path.write_bytes(b"")
    path.read_bytes()
    path.parent.parent.exists()
    path.unlink()
    folder.remove_all()
    assert len(asked) == 3

    def refuse() -> None:
        raise SweepError("taken over")

    with pytest.raises(SweepError):
        (store.path().guarded(refuse) / "b").write_bytes(b"")
    assert store.files == {}
