from pathlib import Path

import pandas as pd
import pytest

from service.errors import SweepError, UserError
from service.record.record import Record
from service.record.schema import make_schemas
from service.results.sweep import Sweep

ASKED = """
name: wiring
data: {name: digits}
objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]
constraints: [{metric: silent, max: 0.2}]
"""

TRIALS = [  # trial, state, accuracy, wiring_length, silent
    (0, "complete", 0.9, 5.0, 0.0),
    (1, "complete", 0.8, 3.0, 0.2),
    (2, "complete", 0.8, 4.0, 0.0),  # dominated by 1
    (3, "pruned", 0.99, 1.0, 0.0),
    (4, "complete", 0.95, 2.0, 0.3),  # too many silent
    (5, "complete", 0.95, 2.0, float("nan")),
    (6, "complete", float("nan"), 1.0, 0.0),
    (7, "complete", 0.7, None, 0.0),
    (8, "complete", 0.5, 1.0, 0.1),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "wiring"
    folder.mkdir()
    (folder / "sweep.yaml").write_text(ASKED)
    names = ("trial", "state", "accuracy", "wiring_length", "silent")
    with Record.open(folder, make_schemas(), part_rows=4) as record:
        record.append("trials", [dict(zip(names, row, strict=True)) for row in TRIALS])
        record.append(
            "neurons",
            [
                {"trial": t, "replicate": 0, "epoch": 1, "neuron": n, "position": [0.5] * t if t else None}
                for t in range(3)
                for n in range(2)
            ],
        )
    return folder


def test_tables_are_those_that_pandas_reads(folder: Path) -> None:
    sweep = Sweep(str(folder))
    assert sweep.name == "wiring"
    pd.testing.assert_frame_equal(sweep.table("trials"), pd.read_parquet(folder / "tables" / "trials"))
    assert sweep.table("neurons")["position"].to_list() == [None, None, [0.5], [0.5], [0.5, 0.5], [0.5, 0.5]]


def test_rows_and_columns_chosen(folder: Path) -> None:
    chosen = Sweep(folder).arrow("trials", "accuracy >= 0.9 and state != 'pruned'", ["trial", "accuracy"])
    assert chosen.to_pydict() == {"trial": [0, 4, 5], "accuracy": [0.9, 0.95, 0.95]}


def test_front_is_complete_allowed_and_not_dominated(folder: Path) -> None:
    assert Sweep(folder).front()["trial"].to_list() == [0, 1, 8]
    (folder / "sweep.yaml").write_text("name: early\ndata: {name: digits}\n")
    assert Sweep(folder).front()["trial"].to_list() == [4, 5]


def test_front_of_a_sweep_without_trials(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(ASKED)
    Record.open(tmp_path, make_schemas()).close()
    assert Sweep(tmp_path).front().empty


def test_missing_sweep_names_those_beside_it(folder: Path) -> None:
    with pytest.raises(UserError, match="wirring: sweep: there is none here; sweeps there: wiring"):
        Sweep(folder.parent / "wirring")
    with pytest.raises(UserError, match="nor is there any other"):
        Sweep(folder / "deep" / "down")


def test_missing_table_or_column(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such table; tables are delay_graph, epochs, layers, lesions"):
        Sweep(folder).table("epoch")
    with pytest.raises(UserError, match="there is no such table"):
        Sweep(folder).table("../tables/trials")
    with pytest.raises(UserError, match="trials: acc: is no column; columns are trial, state"):
        Sweep(folder).arrow("trials", columns=["trial", "acc"])
    with pytest.raises(UserError, match="`acc` is no column"):
        Sweep(folder).arrow("trials", "acc > 1")
    (tmp_path / "sweep.yaml").write_text(ASKED)
    with pytest.raises(UserError, match="the sweep has not started yet; run it first"):
        Sweep(tmp_path).table("trials")


def test_damaged_file_is_named(folder: Path) -> None:
    part = folder / "tables" / "trials" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(SweepError, match=r"part-000000\.parquet: this part of the table can't be read"):
        Sweep(folder).table("trials")
