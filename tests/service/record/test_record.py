import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from records import SCHEMAS, crash, epoch_rows, on_disk

from service.errors import SweepError
from service.record.record import Record
from service.record.schema import TABLES
from service.storage.paths import StoragePath


def test_empty_record_has_empty_typed_tables(tmp_path: Path) -> None:
    Record.open(tmp_path, SCHEMAS).close()
    for name in TABLES:
        frame = pd.read_parquet(tmp_path / "tables" / name)
        assert frame.empty and list(frame.columns) == SCHEMAS[name].names
        assert ds.dataset(tmp_path / "tables" / name).schema.equals(SCHEMAS[name])


def test_values_come_back_from_log_and_from_files(home: StoragePath) -> None:
    trial = {
        "trial": np.int64(3),
        "state": "failed",
        "reason": "loss is nan\nin replicate 1 – 'quoted' \u2028",
        "hidden": 64,
        "loss": math.nan,
        "accuracy": np.float32(0.1),
        "wiring_length": math.inf,
        "rate": -math.inf,
        "seconds": 0.1,
    }
    neurons = [
        {"trial": 3, "replicate": 0, "epoch": 1, "neuron": 0, "position": np.array([0.1, -2], np.float32)},
        {"trial": 3, "replicate": 0, "epoch": 1, "neuron": 1, "position": None},
        {"trial": 3, "replicate": 0, "epoch": 1, "neuron": 2, "position": [math.nan]},
    ]
    record = Record.open(home, SCHEMAS)
    record.append_all({"trials": [trial], "neurons": neurons})
    crash(record)
    replayed = Record.open(home, SCHEMAS)
    assert on_disk(home, "trials").num_rows == 0
    from_log = replayed.rows("trials"), replayed.rows("neurons")
    replayed.close()
    for trials, cells in (from_log, (on_disk(home, "trials"), on_disk(home, "neurons"))):
        row = trials.to_pylist()[0]
        assert row["reason"] == trial["reason"] and row["hidden"] == 64 and row["embedding"] is None
        assert math.isnan(row["loss"]) and trials["loss"].null_count == 0
        assert (row["wiring_length"], row["rate"], row["seconds"]) == (math.inf, -math.inf, 0.1)
        assert row["accuracy"] == float(np.float32(0.1))
        positions = cells["position"].to_pylist()
        assert positions[:2] == [[float(np.float32(0.1)), -2.0], None] and math.isnan(positions[2][0])


def test_positions_of_differing_dimension(tmp_path: Path) -> None:
    with Record.open(tmp_path, SCHEMAS, part_rows=2) as record:
        for dimensions in range(4):
            rows = [
                {"trial": dimensions, "replicate": 0, "epoch": 0, "neuron": n, "position": [0.5] * dimensions}
                for n in range(3)
            ]
            record.append("neurons", rows)
            record.flush()
    folder = tmp_path / "tables" / "neurons"
    assert [len(p) for p in pd.read_parquet(folder)["position"]] == [d for d in range(4) for _ in range(3)]
    chosen = ds.dataset(folder).to_table(filter=ds.field("trial") == 2)
    assert chosen["position"].to_pylist() == [[0.5, 0.5]] * 3


def test_arrow_table_is_cast_and_put_in_order(home: StoragePath) -> None:
    table = pa.table({"post": [2], "pre": [1], "weight": [0.5], "replicate": [0], "trial": [9]})
    with Record.open(home, SCHEMAS) as record:
        record.append("synapses", table)
        assert record.rows("synapses").schema.equals(SCHEMAS["synapses"])
    assert on_disk(home, "synapses").to_pylist() == [
        {"trial": 9, "replicate": 0, "pre": 1, "post": 2, "weight": 0.5, "delay": None}
    ]


@pytest.mark.parametrize(
    ("table", "row", "fault"),
    [
        ("epochs", {"trial": 0, "replicate": 0, "epoch": 0, "los": 0.5}, "there is no column `los`"),
        ("epochs", {"trial": 0, "replicate": 0}, "column `epoch` must have a value in every row"),
        ("epochs", {"trial": 0, "replicate": 0, "epoch": 2**31}, "column `epoch` holds int32"),
        ("epochs", {"trial": 0, "replicate": 0, "epoch": 1, "loss": "low"}, "column `loss` holds double"),
        ("trials", {"trial": 2**64, "state": "complete"}, "column `trial` holds int64"),
        ("trials", {"trial": 0, "state": "complete", "hidden": 1.5}, "column `hidden` holds int64"),
    ],
)
def test_row_that_does_not_fit_leaves_no_trace(
    tmp_path: Path, table: str, row: dict[str, Any], fault: str
) -> None:
    record = Record.open(tmp_path, SCHEMAS)
    with pytest.raises(ValueError, match=fault):
        record.append_all({"topology": [{"trial": 0, "replicate": 0, "epoch": 1}], table: [row]})
    assert record.rows("topology").num_rows == record.rows(table).num_rows == 0
    assert (tmp_path / "log.jsonl").read_text() == ""
    record.close()


def test_trial_finishes_once(home: StoragePath) -> None:
    row = {"trial": 4, "state": "pruned"}
    record = Record.open(home, SCHEMAS)
    with pytest.raises(ValueError, match="trial 4 is in `trials` already"):
        record.append("trials", [row, row])
    record.append("trials", [row, {"trial": 2, "state": "failed"}])
    for _ in range(2):  # as it was appended, replayed, and read from the files
        with pytest.raises(ValueError, match="trial 4 is in `trials` already"):
            record.append("trials", [{"trial": 7, "state": "complete"}, row])
        assert record.finished_trials() == {4: "pruned", 2: "failed"}
        crash(record)
        record = Record.open(home, SCHEMAS)
    record.close()
    with Record.open(home, SCHEMAS) as record:
        assert record.finished_trials() == {4: "pruned", 2: "failed"}


def test_last_epoch(home: StoragePath) -> None:
    record = Record.open(home, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1, 2, 3))
    record.append("epochs", epoch_rows(5, 0))
    record.flush()
    record.append("epochs", epoch_rows(5, 1))
    for _ in range(2):
        assert [record.last_epoch(trial) for trial in (0, 5, 6)] == [3, 1, None]
        crash(record)
        record = Record.open(home, SCHEMAS)
    record.close()


def test_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("")
    with pytest.raises(SweepError, match=r"tables.*: Not a directory; make the sweep's folder accessible"):
        Record.open(tmp_path, SCHEMAS)
