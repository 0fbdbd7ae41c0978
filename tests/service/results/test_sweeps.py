"""All sweeps of a folder: read together, listed, deleted."""

import os
import time
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa
import pytest
from filelock import FileLock
from rich.console import Console
from typer.testing import CliRunner, Result

from service import Sweep, Sweeps
from service.cli import app
from service.commands.listing import print_list
from service.config.load import load
from service.errors import SweepError, UserError
from service.record.record import Record
from service.record.schema import make_schemas
from service.results.status import status_of
from service.results.sweeps import sweeps_in
from service.tracking.location import embedded_store
from service.tracking.view import MlflowView

ASKED = """
name: {name}
data: {{name: digits}}
objectives: [{{metric: accuracy, goal: max}}, {{metric: wiring_length, goal: min}}]
search: {{trials: 3}}
"""


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def write_sweep(
    runs: Path,
    name: str,
    searched: dict[str, pa.DataType] | None = None,
    rows: list[dict[str, Any]] | None = None,
) -> Path:
    """A sweep; without `rows` it has not started."""
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(ASKED.format(name=name))
    if rows is not None:
        with Record.open(folder, make_schemas(searched)) as record:
            record.append("trials", [{"sweep": name, "state": "complete"} | row for row in rows])
            record.append("epochs", [{"trial": r["trial"], "replicate": 0, "epoch": 1} for r in rows])
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    row = {"accuracy": 0.5, "wiring_length": 2.0}
    write_sweep(
        runs,
        "early",
        {"hidden": pa.int64()},
        [{"trial": 0, "hidden": 8} | row, {"trial": 1, "hidden": 9, "state": "pruned"}],
    )
    write_sweep(
        runs,
        "late",
        {"hidden": pa.float64(), "embedding": pa.string()},
        [{"trial": n, "hidden": 1.5 + n, "embedding": "free", "accuracy": 0.7 + n / 10} for n in range(3)],
    )
    write_sweep(runs, "unstarted")
    (runs / "mlartifacts").mkdir()
    return runs


def test_tables_are_read_together(runs: Path) -> None:
    trials = Sweeps(runs).table("trials")
    assert trials.columns[:2].tolist() == ["sweep", "trial"] and trials.columns.is_unique
    assert trials["sweep"].tolist() == ["early"] * 2 + ["late"] * 3
    assert trials["hidden"].tolist() == [8.0, 9.0, 1.5, 2.5, 3.5]
    assert trials["embedding"].isna().tolist() == [True, True, False, False, False]
    for name in ("early", "late"):
        own = pd.read_parquet(runs / name / "tables" / "trials")
        mine = trials[trials["sweep"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine[own.columns], own, check_dtype=False)
    epochs = Sweeps(runs).table("epochs")
    assert epochs.columns[0] == "sweep" and epochs["sweep"].tolist() == trials["sweep"].tolist()


def test_rows_and_columns_of_all_are_chosen(runs: Path) -> None:
    chosen = Sweeps(runs).arrow("trials", "sweep == 'late' and accuracy > 0.75", ["sweep", "trial"])
    assert chosen.to_pydict() == {"sweep": ["late", "late"], "trial": [1, 2]}
    # A column that one sweep lacks is null there: no comparison is true.
    assert len(Sweeps(runs).arrow("trials", "embedding != 'space'")) == 3
    with pytest.raises(UserError, match="trials: acc: is no column; columns are sweep, trial"):
        Sweeps(runs).arrow("trials", columns=["acc"])
    with pytest.raises(UserError, match="`acc` is no column"):
        Sweeps(runs).arrow("trials", "acc > 1")


def test_a_column_of_text_here_and_numbers_there_is_named(runs: Path) -> None:
    write_sweep(runs, "other", {"hidden": pa.string()}, [{"trial": 0, "hidden": "many"}])
    with pytest.raises(UserError, match="trials: hidden: holds string in other and double in sweeps"):
        Sweeps(runs).table("trials")
    assert len(Sweeps(runs).table("epochs")) == 6


def test_where_there_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is none; run one first"):
        Sweeps(tmp_path)
    write_sweep(tmp_path, "unstarted")
    with pytest.raises(UserError, match="the sweep has not started yet"):
        Sweeps(tmp_path).table("trials")


def listed(runs: Path, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    print_list(runs, Console(width=160))
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_list_tells_how_sweeps_stand(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = time.time()
    for name, age in (("early", 7300), ("late", 200_000), ("unstarted", 59.5)):
        for path in (runs / name).rglob("*"):
            os.utime(path, (now - age, now - age))
    header, *lines = (" ".join(line) for line in listed(runs, capsys))
    assert header == "sweep state trials best last change"
    assert lines == [
        "unstarted unfinished none of 3 59 s ago",
        "early unfinished 1 complete, 1 pruned of 3 accuracy 0.5, wiring_length 2 (trial 0) 2 h ago",
        "late finished 3 complete of 3 2 days ago",
    ]
    with FileLock(runs / "late" / ".lock"):
        assert listed(runs, capsys)[3][:2] == ["late", "running"]


def test_a_grid_is_finished_when_all_its_combinations_are(tmp_path: Path) -> None:
    asked = "search: {sampler: grid, trials: 100, steps: 2}"
    for name, choices, planned in (("two", [1, 2], 4), ("many", list(range(1, 200)), 100)):
        folder = write_sweep(tmp_path, name, rows=[{"trial": n} for n in range(4)])
        space = f"{{learner.dt: {{uniform: [1, 2]}}, learner.dimensions: {{choice: {choices}}}}}"
        text = (folder / "sweep.yaml").read_text().replace("search: {trials: 3}", asked)
        (folder / "sweep.yaml").write_text(f"{text}space: {space}\n")
        assert Sweep(folder).spec.planned == planned
    states = [status_of(Sweep(tmp_path / name)).state for name in ("two", "many")]
    assert states == ["finished", "unfinished"]


def test_list_goes_past_damage(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = runs / "early" / "tables" / "trials" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    (runs / "unstarted" / "sweep.yaml").write_text("name: [")
    found = listed(runs, capsys)
    assert sorted(line[:2] for line in found[1:4]) == [
        ["early", "damaged"],
        ["late", "finished"],
        ["unstarted", "damaged"],
    ]
    said = " ".join(" ".join(line) for line in found[4:])
    assert "part-000000.parquet: this part of the table can't be read" in said
    assert "sweep.yaml: the record of what was asked can't be used" in said


def test_list_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(tmp_path / "nowhere", capsys)[0][:3] == ["no", "sweeps", "in"]


def test_delete_asks_and_refuses(runs: Path) -> None:
    def run(*arguments: str) -> Result:
        command = ["delete", "--out", str(runs), *arguments]
        return CliRunner().invoke(app, command, catch_exceptions=False)

    with pytest.raises(UserError, match="--yes: is missing"):
        run("early")
    with pytest.raises(UserError, match="sweeps there: early, late, unstarted") as caught:
        run("early", "../runs/late", ".", "--yes")
    assert [fault.field for fault in caught.value.faults] == ["../runs/late", "."]
    with (
        FileLock(runs / "late" / ".lock"),
        pytest.raises(SweepError, match="late is running; stop it first"),
    ):
        run("early", "late", "--yes")
    assert [sweep.name for sweep in sweeps_in(runs)] == ["early", "late", "unstarted"]
    assert run("late", "late", "--yes").exit_code == 0
    assert sorted(path.name for path in runs.iterdir()) == ["early", "mlartifacts", "unstarted"]


def test_delete_takes_the_runs_of_that_sweep_alone(tmp_path: Path) -> None:
    for name in ("gone", "kept"):
        folder = tmp_path / name
        folder.mkdir()
        asked = folder / "sweep.yaml"
        asked.write_text(f"name: {name}\nexperiment: shared\ndata: {{name: digits}}\n")
        view = MlflowView.open(tmp_path, load(asked), folder)
        view.trial_started(0, {})
        view.trial_finished(0, "complete", None, 1, {"loss": (1.0, None)}, lambda: {"a.png": b"png"})
        view.close("complete")
    CliRunner().invoke(app, ["delete", "gone", "--out", str(tmp_path), "--yes"], catch_exceptions=False)
    client = mlflow.MlflowClient(embedded_store(tmp_path))
    experiment = client.get_experiment_by_name("shared")
    assert experiment is not None
    left = client.search_runs([experiment.experiment_id])
    assert {run.data.tags["polychrony.sweep"] for run in left} == {"kept"} and len(left) == 2
    pictures = list((tmp_path / "mlartifacts").rglob("a.png"))
    assert [path.parts[-3] for path in pictures] == [
        run.info.run_id for run in left if "polychrony.trial" in run.data.tags
    ]
    assert not (tmp_path / "gone").exists() and (tmp_path / "kept").exists()
