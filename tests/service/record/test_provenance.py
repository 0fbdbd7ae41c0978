import json
import platform
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest

from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.errors import SweepError, UserError
from service.record import provenance
from service.record.parts import part_path, read_table, write_part
from service.record.provenance import environment, note_environment, read_environments
from service.results.sweep import Sweep
from service.storage.layout import sweep_file
from service.version import code_version
from service.worker.task import Origin, Report


def test_environment_has_every_package() -> None:
    found = environment()
    assert {name: found["packages"][name] for name in ("torch", "numba", "ray", "packaging")} == {
        name: version(name) for name in ("torch", "numba", "ray", "packaging")
    }
    assert found["python"] == platform.python_version() and found["code_version"] == code_version()
    assert found["cpu"] and found["cores"] >= 1


def test_an_environment_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_environments(tmp_path) == []
    assert [note_environment(tmp_path) for _ in range(2)] == [0, 0]
    other = environment() | {"code_version": "9.9"}
    monkeypatch.setattr(provenance, "environment", lambda: other)
    assert [note_environment(tmp_path) for _ in range(2)] == [1, 1]
    assert read_environments(tmp_path) == [environment(), other]
    monkeypatch.undo()
    assert note_environment(tmp_path) == 0


@pytest.mark.parametrize("content", [b"", b"[{}", b"{}", b"[1]", b"\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "environments.json").write_bytes(content)
    with pytest.raises(SweepError, match=r"environments\.json: can't be read .*restore the file from a copy"):
        note_environment(tmp_path)
    assert (tmp_path / "environments.json").read_bytes() == content


def run_next(spec: SweepSpec, folder: Path) -> None:
    """Runs one trial in a session of its own."""
    with closing(SweepController(spec, folder)) as controller:
        task = controller.next_task()
        assert task is not None
        controller.take(
            Report(task.trial, 1, {"accuracy": [0.5, 0.5], "wiring_length": [1.0, 1.0]}, done=True)
        )


def test_a_sweep_taken_up_by_other_versions_goes_on_and_tells_them_apart(
    tmp_path: Path, small_spec: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_spec()
    sweep_file(tmp_path).write_bytes(dump(spec).encode())
    run_next(spec, tmp_path)
    newer = environment() | {"packages": environment()["packages"] | {"torch": "99.0"}}
    monkeypatch.setattr(provenance, "environment", lambda: newer)
    run_next(spec, tmp_path)
    sweep = Sweep(tmp_path)
    assert sweep.table("trials")["environment"].tolist() == [0, 1]
    assert sweep.environment(0)["packages"]["torch"] == version("torch")
    assert sweep.environment(1) == newer
    with pytest.raises(UserError, match="trial 2: its environment is not recorded"):
        sweep.environment(2)
    assert json.loads((tmp_path / "environments.json").read_text()) == [sweep.environment(0), newer]


def test_a_sweep_of_a_version_without_provenance_reads_and_goes_on(
    tmp_path: Path, small_spec: Callable[..., SweepSpec]
) -> None:
    spec, new = small_spec(), [field.name for field in fields(Origin)] + ["environment"]
    sweep_file(tmp_path).write_bytes(dump(spec).encode())
    run_next(spec, tmp_path)
    folder = tmp_path / "tables" / "trials"
    write_part(part_path(folder, 0), read_table(folder).drop_columns(new), sequence=9)
    (tmp_path / "environments.json").unlink()
    sweep = Sweep(tmp_path)
    assert sweep.front()["trial"].tolist() == [0]
    with pytest.raises(UserError, match="trial 0: its environment is not recorded"):
        sweep.environment(0)
    run_next(spec, tmp_path)
    trials = sweep.table("trials")
    assert trials["environment"].isna().tolist() == [True, False] and trials["state"].notna().all()
    assert sweep.environment(1) == environment()
    with pytest.raises(UserError, match="trial 0: its environment is not recorded"):
        sweep.environment(0)
