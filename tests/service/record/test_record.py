import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import SweepError
from service.record.parts import part_path, read_schema, read_table, write_part
from service.record.record import Record
from service.record.schema import TABLES, make_schemas
from service.record.table import TableWriter
from service.storage.paths import StoragePath, list_folder

SCHEMAS = make_schemas({"hidden": pa.int64(), "embedding": pa.string()}, ["modularity"])


class Clock:
    """Time that passes only by `now += seconds`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def epoch_rows(trial: int, *epochs: int) -> list[dict[str, Any]]:
    return [
        {"trial": trial, "replicate": r, "epoch": e, "loss": (trial + e) / 7}
        for e in epochs
        for r in range(2)
    ]


def crash(record: Record) -> None:
    """Ends the record as SIGKILL would: nothing is flushed."""
    record._log.close()


def on_disk(folder: StoragePath, table: str) -> pa.Table:
    return read_table(folder / "tables" / table)


def log_files(home: StoragePath) -> list[StoragePath]:
    """The file of the log; its segments on an object store."""
    return [home / "log.jsonl"] if isinstance(home, Path) else list_folder(home / "log.jsonl")


def sizes(folder: StoragePath) -> list[int]:
    """Rows of each part."""
    return [pq.read_metadata(pa.BufferReader(path.read_bytes())).num_rows for path in list_folder(folder)]


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


def test_parts_are_sealed_when_full(home: StoragePath) -> None:
    folder = home / "tables" / "epochs"
    with Record.open(home, SCHEMAS, part_rows=4) as record:
        record.append("epochs", epoch_rows(0, 1))
        record.flush()
        record.append("epochs", epoch_rows(1, 1))
        record.flush()
        sealed = part_path(folder, 0).read_bytes()
        assert len(list_folder(folder)) == 1
        for trial in (2, 3, 4, 5, 6):  # flushed together: fills one part, and begins another
            record.append("epochs", epoch_rows(trial, 1))
        record.append("epochs", epoch_rows(7, *range(10)))  # rows appended together stay together
        record.flush()
        assert (
            record.rows("epochs", ["trial"])["trial"].to_pylist()
            == on_disk(home, "epochs")["trial"].to_pylist()
        )
    assert part_path(folder, 0).read_bytes() == sealed
    assert sizes(folder) == [4, 4, 4, 22]
    assert [read_schema(path)[1] for path in list_folder(folder)] == [2, 4, 6, 8]
    with Record.open(home, SCHEMAS, part_rows=4) as record:
        record.append("epochs", epoch_rows(8, 1))
    assert sizes(folder) == [4, 4, 4, 22, 2]


def test_crash_between_flush_and_clearing_of_the_log(home: StoragePath) -> None:
    record = Record.open(home, SCHEMAS, part_rows=3)
    for trial in range(5):
        record.append("epochs", epoch_rows(trial, 1))
        record.append("trials", [{"trial": trial, "state": "complete"}])
    log = {path.name: path.read_bytes() for path in log_files(home)}
    record._writers["epochs"].flush()  # a crash that leaves one table flushed, and the other not
    crash(record)
    record = Record.open(home, SCHEMAS, part_rows=3)
    assert record.rows("epochs")["trial"].to_pylist() == [n // 2 for n in range(10)]
    assert record.rows("trials")["trial"].to_pylist() == list(range(5))
    record.close()
    for path in log_files(home) or [home / "log.jsonl" / "000000"]:
        path.write_bytes(log[path.name])  # a crash that leaves both flushed, and the log as it was
    with Record.open(home, SCHEMAS, part_rows=3) as record:
        record.append("trials", [{"trial": 5, "state": "complete"}])
    assert on_disk(home, "trials")["trial"].to_pylist() == list(range(6))
    assert on_disk(home, "epochs").num_rows == 10


def test_crash_after_crash(home: StoragePath) -> None:
    for trial in range(4):
        record = Record.open(home, SCHEMAS)
        record.append("trials", [{"trial": trial, "state": "complete"}])
        crash(record)
    with Record.open(home, SCHEMAS) as record:
        assert list(record.finished_trials()) == [0, 1, 2, 3]
    assert on_disk(home, "trials")["trial"].to_pylist() == [0, 1, 2, 3]


def test_flush_by_time(tmp_path: Path) -> None:
    clock = Clock()
    record = Record.open(tmp_path, SCHEMAS, clock=clock)
    record.append("epochs", epoch_rows(0, 1))
    clock.now += 1.9
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 0
    clock.now += 0.2
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 0.5
    record.append("epochs", epoch_rows(0, 2))
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 1.6
    record.append("epochs", epoch_rows(0, 3))
    assert on_disk(tmp_path, "epochs").num_rows == 6
    record.close()


def test_slow_flushes_are_rare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    record = Record.open(tmp_path, SCHEMAS, clock=clock)
    clear = record._log.clear

    def slow_clear() -> None:
        clock.now += 1.0
        clear()

    monkeypatch.setattr(record._log, "clear", slow_clear)
    record.append("epochs", epoch_rows(0, 1))
    record.flush()
    record.append("epochs", epoch_rows(0, 2))
    clock.now += 19.0
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 2
    clock.now += 1.5
    record.poll()
    assert on_disk(tmp_path, "epochs").num_rows == 4
    record.close()


def test_flush_by_rows(tmp_path: Path) -> None:
    with Record.open(tmp_path, SCHEMAS, flush_rows=6, clock=Clock()) as record:
        record.append("epochs", epoch_rows(0, 1, 2))
        assert on_disk(tmp_path, "epochs").num_rows == 0
        record.append("topology", [{"trial": 0, "replicate": r, "epoch": 2} for r in range(2)])
        assert on_disk(tmp_path, "epochs").num_rows == 4 and on_disk(tmp_path, "topology").num_rows == 2
        assert (tmp_path / "log.jsonl").read_text() == ""


def test_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record.open(tmp_path, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(SweepError, match="No space left on device"):
            record.flush()
    record.append("epochs", epoch_rows(0, 2))
    record.close()
    assert on_disk(tmp_path, "epochs")["epoch"].to_pylist() == [1, 1, 2, 2]


@pytest.mark.parametrize("where", ["add", "flush"])
def test_an_interrupt_in_between_loses_no_row(
    home: StoragePath, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Ctrl-C between two tables of one entry: what was logged counts, though memory lacks some of it."""
    record = Record.open(home, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        real = getattr(TableWriter, where)

        def interrupted(self: TableWriter, *arguments: Any) -> None:
            if self is record._writers["trials"]:
                raise KeyboardInterrupt
            real(self, *arguments)

        patch.setattr(TableWriter, where, interrupted)
        record.append_all({"epochs": epoch_rows(0, 2), "trials": [{"trial": 0, "state": "complete"}]})
        record.flush()
    record.close()
    with Record.open(home, SCHEMAS) as again:
        assert again.rows("epochs")["epoch"].to_pylist() == [1, 1, 2, 2]
        assert again.finished_trials() == {0: "complete"}


def test_older_version_gains_columns(home: StoragePath) -> None:
    old = {
        name: pa.schema([f for f in schema if f.name not in ("hidden", "rate")])
        for name, schema in SCHEMAS.items()
    }
    record = Record.open(home, old, part_rows=2)
    record.append("epochs", epoch_rows(0, 1, 2, 3))
    record.flush()
    record.append("epochs", epoch_rows(1, 1))
    record.append("trials", [{"trial": 0, "state": "complete"}])
    crash(record)
    with Record.open(home, SCHEMAS, part_rows=2) as record:
        record.append("epochs", [{"trial": 2, "replicate": 0, "epoch": 1, "rate": 0.5}])
        assert record.rows("epochs", ["rate"])["rate"].to_pylist() == [None] * 8 + [0.5]
    frame = on_disk(home, "epochs").to_pandas()
    assert frame["rate"].isna().sum() == 8 and frame["loss"].notna().sum() == 8
    assert list(frame.columns) == SCHEMAS["epochs"].names
    for path in (home / "tables" / "epochs").iterdir():
        assert (
            read_schema(path)[0].field("rate").metadata[b"description"]
            == b"spikes per hidden neuron and sample"
        )
    with pytest.raises(
        SweepError, match=r"there is no column `hidden`.*go on with the version that wrote it"
    ):
        Record.open(home, old)


def test_log_of_another_version_is_named(home: StoragePath) -> None:
    record = Record.open(home, SCHEMAS)
    record.append("epochs", epoch_rows(0, 1))
    crash(record)
    renamed = SCHEMAS | {"epochs": pa.schema([f for f in SCHEMAS["epochs"] if f.name != "loss"])}
    for part in (home / "tables" / "epochs").iterdir():
        part.unlink()
    with pytest.raises(SweepError, match=r"log\.jsonl(/000000)?:1: table `epochs`: there is no column"):
        Record.open(home, renamed)
    with pytest.raises(SweepError, match=r"log\.jsonl(/000000)?:1: there is no table `epochs`"):
        Record.open(home, {"trials": SCHEMAS["trials"]})


def test_damaged_part_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    with Record.open(tmp_path, SCHEMAS, part_rows=2) as record:
        record.append("epochs", epoch_rows(0, 1))
        record.flush()
        record.append("epochs", epoch_rows(0, 2))
    path = part_path(tmp_path / "tables" / "epochs", 0)
    path.write_bytes(path.read_bytes()[:-20])
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(SweepError, match=r"part-000000\.parquet: this part of the table can't be read"):
        Record.open(tmp_path, SCHEMAS)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("")
    with pytest.raises(SweepError, match=r"tables.*: Not a directory; make the sweep's folder accessible"):
        Record.open(tmp_path, SCHEMAS)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 4)),
        st.tuples(st.sampled_from(["flush", "crash", "close", "half flush", "torn"]), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, part_rows=st.integers(1, 12), flush_rows=st.sampled_from([1, 10, 1_000]))
def test_any_history_keeps_every_row_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], part_rows: int, flush_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("history")
    schemas = {name: SCHEMAS[name] for name in ("trials", "epochs")}

    def reopen() -> Record:
        return Record.open(folder, schemas, part_rows=part_rows, flush_rows=flush_rows, clock=Clock())

    record, epochs, trials = reopen(), list[int](), list[int]()
    for step, count in steps:
        if step == "append":
            trial = len(trials)
            row = {"trial": trial, "state": "complete"}
            record.append_all({"epochs": epoch_rows(trial, *range(count)), "trials": [row]})
            trials.append(trial)
            epochs += [trial] * 2 * count
        elif step == "flush":
            record.flush()
        else:
            if step == "half flush":
                record._writers["epochs"].flush()
            if step == "close":
                record.close()
            else:
                crash(record)
            if step == "torn":
                with (folder / "log.jsonl").open("ab") as file:
                    file.write(b'{"sequence":999,"tab')
            record = reopen()
        assert record.rows("epochs")["trial"].to_pylist() == epochs
        assert record.rows("trials")["trial"].to_pylist() == trials
        assert sorted(record.finished_trials()) == trials
        seen = on_disk(folder, "epochs")["trial"].to_pylist()
        assert seen == epochs[: len(seen)]
    record.close()
    assert on_disk(folder, "epochs")["trial"].to_pylist() == epochs
    assert on_disk(folder, "trials")["trial"].to_pylist() == trials


def test_part_with_a_column_of_another_type_is_named_and_kept(tmp_path: Path) -> None:
    with Record.open(tmp_path, SCHEMAS) as record:
        record.append("epochs", epoch_rows(0, 1))
    path = part_path(tmp_path / "tables" / "epochs", 0)
    for values, kind in ((["0.5", "1"], "string"), ([True, False], "bool"), ([[0.5], [1.0]], "list")):
        table = read_table(path.parent)
        column = table.schema.get_field_index("loss")
        write_part(path, table.set_column(column, "loss", pa.array(values)), sequence=1)
        before = path.read_bytes()
        fault = rf"part-000000\.parquet: .*column `loss` holds double, got {kind}.*go on with the version"
        with pytest.raises(SweepError, match=fault):
            Record.open(tmp_path, SCHEMAS)
        assert path.read_bytes() == before


def test_narrower_numbers_of_an_older_version_are_widened(tmp_path: Path) -> None:
    old = {"topology": pa.schema([("trial", pa.int32()), ("modularity", pa.float32())])}
    new = {"topology": pa.schema([("trial", pa.int64()), ("modularity", pa.float64()), ("z", pa.int32())])}
    with Record.open(tmp_path, old, part_rows=1) as record:
        for trial in range(2):
            record.append("topology", [{"trial": trial, "modularity": 0.25}])
            record.flush()
    rows = [{"trial": trial, "modularity": 0.25, "z": None} for trial in range(2)]
    folder = tmp_path / "tables" / "topology"
    first = part_path(folder, 0)
    narrow = first.read_bytes()
    with Record.open(tmp_path, new) as record:
        assert record.rows("topology").to_pylist() == rows
    first.write_bytes(narrow)  # as a reader finds the folder while it is brought up to date
    assert read_table(folder).to_pylist() == rows


def test_two_readers_while_an_older_version_gains_columns(tmp_path: Path) -> None:
    old = {"epochs": pa.schema([f for f in SCHEMAS["epochs"] if f.name != "rate"])}
    with Record.open(tmp_path, old, part_rows=2) as record:
        for trial in range(60):
            record.append("epochs", epoch_rows(trial, 1))
            record.flush()
    folder, done = tmp_path / "tables" / "epochs", threading.Event()
    expected = [n // 2 for n in range(120)]

    def read_on(read: Callable[[], pa.Table]) -> int:
        count = 0
        while not done.is_set():
            rows = read()
            assert rows["trial"].to_pylist() == expected
            assert "rate" not in rows.column_names or rows["rate"].null_count == 120
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        readers = [
            pool.submit(read_on, lambda: read_table(folder)),
            pool.submit(read_on, lambda: pa.Table.from_pandas(pd.read_parquet(folder))),
        ]
        time.sleep(0.2)
        Record.open(tmp_path, {"epochs": SCHEMAS["epochs"]}, part_rows=2).close()
        time.sleep(0.2)
        done.set()
        assert all(reader.result() > 1 for reader in readers)
    assert read_table(folder)["rate"].null_count == 120
