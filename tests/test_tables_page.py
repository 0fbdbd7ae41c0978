"""The queries of docs/tables.md, run as they stand there: three ways to ask, and one answer."""

import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from service.record.provenance import note_environment
from service.record.record import Record
from service.record.schema import make_schemas

PAGE = (Path(__file__).resolve().parents[1] / "docs/tables.md").read_text()
TRIALS, REPLICATES, EPOCHS, NEURONS = 12, 3, 3, 4


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    """Rows of a sweep that may stand for any."""
    rng = np.random.default_rng(0)
    trials = [
        {
            "trial": t,
            "state": "pruned" if t % 5 == 4 else "complete",
            "wiring_cost": float(rng.random()),
            "dimensions": 1 + t % 3,
            "accuracy": float(rng.random()),
            "accuracy_sem": float(rng.random()),
            "environment": 0,
        }
        for t in range(TRIALS)
    ]
    keys = [
        {"trial": t, "replicate": r, "epoch": e}
        for t in range(TRIALS)
        for e in range(1, EPOCHS + 1 - (t % 5 == 4))
        for r in range(REPLICATES)
    ]
    neurons = [
        {**key, "neuron": n, "position": rng.random(1 + key["trial"] % 3).astype(np.float32).tolist()}
        for key in keys
        for n in range(NEURONS)
    ]
    return {
        "trials": trials,
        "epochs": [{**key, "accuracy": float(rng.random())} for key in keys],
        "topology": [{**key, "modularity": float(rng.random())} for key in keys],
        "neurons": neurons,
    }


@pytest.fixture
def answers(
    rows: dict[str, list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[Any]]:
    """Runs the page; what each of its blocks has left under a name, if that is new."""
    folder = tmp_path / "runs" / "wiring"
    schemas = make_schemas({"wiring_cost": pa.float64(), "dimensions": pa.int64()}, ["modularity"])
    with Record.open(folder, schemas, part_rows=20) as record:
        for name, some in rows.items():
            for start in range(0, len(some), 7):
                record.append(name, some[start : start + 7])
                record.flush()
    (folder / "sweep.yaml").write_text("name: wiring\ndata: {name: digits}\nsearch: {trials: 12}\n")
    note_environment(folder)
    for name in rows:
        for stray in (".DS_Store", "._part-000000.parquet"):  # as macOS leaves them in what it copies
            (folder / "tables" / name / stray).write_bytes(b"stray")
    monkeypatch.chdir(tmp_path)

    def run(name: str) -> list[Any]:
        names: dict[str, Any] = {"np": np, "pc": pc}
        found = []
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            names.pop(name, None)
            exec(block, names)
            if name in names:
                found.append(names[name])
        return found

    return run


def as_frames(found: list[Any]) -> list[pd.DataFrame]:
    frames = [one.to_pandas() if isinstance(one, pa.Table) else one for one in found]
    assert len(frames) == 3
    return [frame.reset_index(drop=True) for frame in frames]


def check(found: list[Any], expected: list[dict[str, Any]]) -> None:
    for frame in as_frames(found):
        pd.testing.assert_frame_equal(frame, pd.DataFrame(expected), check_dtype=False, rtol=1e-12)


def test_best_trials(answers: Callable[[str], list[Any]], rows: dict[str, list[dict[str, Any]]]) -> None:
    complete = [row for row in rows["trials"] if row["state"] == "complete"]
    leading = sorted(complete, key=lambda row: -row["accuracy"])[:5]
    columns = ("trial", "wiring_cost", "accuracy", "accuracy_sem")
    check(answers("best"), [{name: row[name] for name in columns} for row in leading])


def test_learning_curve(answers: Callable[[str], list[Any]], rows: dict[str, list[dict[str, Any]]]) -> None:
    expected = []
    for epoch in (1, 2, 3):
        now = [row["accuracy"] for row in rows["epochs"] if (row["trial"], row["epoch"]) == (7, epoch)]
        expected.append({"epoch": epoch, "mean": statistics.mean(now), "std": statistics.stdev(now)})
    check(answers("curve"), expected)


def test_joined_tables(answers: Callable[[str], list[Any]], rows: dict[str, list[dict[str, Any]]]) -> None:
    expected = []
    for dimensions in (1, 2, 3):
        last = [
            row["modularity"]
            for row in rows["topology"]
            if row["trial"] % 3 == dimensions - 1 and row["epoch"] == EPOCHS - (row["trial"] % 5 == 4)
        ]
        expected.append({"dimensions": dimensions, "modularity": statistics.mean(last)})
    check(answers("modular"), expected)


def test_positions(answers: Callable[[str], list[Any]], rows: dict[str, list[dict[str, Any]]]) -> None:
    keys = ("trial", "replicate", "epoch")
    expected = [row["position"] for row in rows["neurons"] if [row[k] for k in keys] == [7, 0, 3]]
    found = answers("positions")
    assert len(found) == 3
    for positions in found:
        np.testing.assert_array_equal(np.asarray(positions, np.float32), np.array(expected, np.float32))


def test_all_sweeps(answers: Callable[[str], list[Any]]) -> None:
    (everything,) = answers("everything")
    assert everything["sweep"].tolist() == ["wiring"] * TRIALS


def test_every_column_of_trials_is_on_the_page() -> None:
    names = make_schemas()["trials"].names
    aggregates = {name for name in names if name.endswith("_sem") or f"{name}_sem" in names}
    assert [name for name in names if name not in aggregates and f"`{name}`" not in PAGE] == []
