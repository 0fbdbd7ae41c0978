"""Where Ray's sockets and logs are, and that nothing is left of processes that were killed."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import UserError
from service.execution import scratch
from service.execution.scratch import OWNER, ROOM, scratch_folder, scratch_place
from service.storage.process import process_of

SOCKET = "ray/session_2026-11-29_03-28-21_271078_4194304/sockets/plasma_store.1"


@pytest.fixture
def short() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def places(short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TMPDIR is that of the test, which is long; there is one other place."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "SHORT", (str(short),))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


def test_scratch_of_killed_processes_is_removed(short: Path) -> None:
    ours = process_of()
    for name, owner in {"plydead": [*ours[:3], "1"], "plyalive": ours}.items():
        (short / name).mkdir()
        (short / name / OWNER).write_text(json.dumps(owner))
    (short / "plyother").mkdir()  # not ours to judge
    with scratch_folder() as folder:
        assert sorted(one.name for one in short.iterdir()) == sorted(["plyalive", "plyother", folder.name])
    assert not folder.exists()


def test_a_folder_too_long_for_sockets_is_left_for_a_short_one(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scratch_folder() as folder:
        assert folder.parent == short and len(str(folder / SOCKET)) <= 107
    for length, place in {ROOM: "long", ROOM + 1: "short"}.items():
        long = short / ("x" * (length - len(str(short)) - 1))
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        with scratch_folder() as folder:
            assert folder.parent == (long if place == "long" else short)
            assert len(str(folder / SOCKET)) <= 107
    umlauts = short / ("\u00e4" * (ROOM - len(str(short)) - 1))  # as many characters, twice as many bytes
    umlauts.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(umlauts))
    assert scratch_place() == short


def test_a_place_that_cannot_be_written_is_passed_over(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SHORT", ("/dev/null", "/dev/full", str(short)))
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert scratch_place() == short


def test_without_any_place_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SHORT", ("/dev/null",))
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with pytest.raises(UserError, match=rf"TMPDIR: /nowhere: is no place for Ray.*{ROOM} bytes at most"):
        scratch_place()
