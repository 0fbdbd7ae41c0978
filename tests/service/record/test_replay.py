"""A record that is opened again: after crashes, damage, and by another version."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hang import await_that
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records import SCHEMAS, Clock, crash, epoch_rows, log_files, on_disk

from service.errors import SweepError
from service.record.parts import part_path, read_schema, read_table, write_part
from service.record.record import Record
from service.storage.paths import StoragePath


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
        assert read_schema(path)[0].field("rate").metadata == SCHEMAS["epochs"].field("rate").metadata
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

    def read_on(read: Callable[[], pa.Table], counted: list[int]) -> None:
        while not done.is_set():
            rows = read()
            assert rows["trial"].to_pylist() == expected
            assert "rate" not in rows.column_names or rows["rate"].null_count == 120
            counted.append(rows.num_rows)

    def read_by_all(once_more: int) -> None:
        before = [len(counted) for counted in counts]
        await_that(
            lambda: (
                any(reader.done() for reader in readers)  # it has failed
                or all(len(now) >= then + once_more for now, then in zip(counts, before, strict=True))
            ),
            "a reader reads no more",
        )

    counts: list[list[int]] = [[], []]
    ways = [lambda: read_table(folder), lambda: pa.Table.from_pandas(pd.read_parquet(folder))]
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read_on, way, counted) for way, counted in zip(ways, counts, strict=True)]
        read_by_all(once_more=1)
        Record.open(tmp_path, {"epochs": SCHEMAS["epochs"]}, part_rows=2).close()
        read_by_all(once_more=2)
        done.set()
        for reader in readers:
            reader.result()
    assert read_table(folder)["rate"].null_count == 120
