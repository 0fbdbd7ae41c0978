"""The record against SIGKILL at random moments, and against readers beside its writer."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds

from service.record.parts import read_table
from service.record.record import Record
from service.record.schema import make_schemas

SCRIPT = Path(__file__).parent / "killed_writer.py"


class Writer:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin and process.stdout
        self.send, self.receive = process.stdin, process.stdout

    def start(self) -> int:
        """Starts a round; gives the process number of its child."""
        self.send.write("go\n")
        self.send.flush()
        return int(self.receive.readline())

    def await_rows(self, count: int) -> int:
        """Waits for `count` rows; gives the last."""
        return [int(self.receive.readline()) for _ in range(count)][-1]

    def kill(self, child: int) -> int | None:
        """Kills the child; gives the last row that was acknowledged and not yet awaited."""
        os.kill(child, signal.SIGKILL)
        acknowledged = None
        while (line := self.receive.readline()) != "dead\n":
            acknowledged = int(line)
        return acknowledged


@contextmanager
def writer_of(folder: Path) -> Iterator[Writer]:
    command = [sys.executable, str(SCRIPT), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writer(process)
        assert process.stdin
        process.stdin.close()


def test_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(0)
    acknowledged = -1
    with writer_of(tmp_path) as writer:
        for _ in range(25):
            child = writer.start()
            if rows := chance.choice([0, 1, 10, 30]):
                acknowledged = writer.await_rows(rows)
            time.sleep(chance.random() * chance.choice([0.001, 0.01]))
            last = writer.kill(child)
            acknowledged = acknowledged if last is None else last
            if chance.random() < 0.5:  # else the next writer finds what two killed ones left
                acknowledged = check(tmp_path, acknowledged)
    assert check(tmp_path, acknowledged) > 100


def check(folder: Path, acknowledged: int) -> int:
    """The last row in the record, which is the last acknowledged, or the one that was on its way."""
    with Record.open(folder, make_schemas({}, ["modularity"]), part_rows=60) as record:
        trials = record.rows("trials")["trial"].to_pylist()
        epochs = record.rows("epochs", ["trial", "replicate", "loss"]).to_pylist()
    assert trials == list(range(len(trials)))
    assert epochs == [{"trial": n, "replicate": r, "loss": n / 7} for n in trials for r in range(2)]
    # Rounds that were not looked at may each have left one row more.
    assert len(trials) > acknowledged
    return len(trials) - 1


def test_row_on_its_way_is_all_that_may_be_added(tmp_path: Path) -> None:
    with writer_of(tmp_path) as writer:
        for rows in (1, 7, 20, 45):
            child = writer.start()
            awaited = writer.await_rows(rows)
            last = writer.kill(child)
            acknowledged = awaited if last is None else last
            assert check(tmp_path, acknowledged) in (acknowledged, acknowledged + 1)


def test_readers_see_each_row_once_while_it_grows(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "epochs"
    sizes = [0]
    with writer_of(tmp_path) as writer:
        child = writer.start()
        writer.await_rows(1)
        for turn in range(90):
            writer.await_rows(5)
            if turn % 3 == 0:
                trials = pd.read_parquet(folder)["trial"].to_list()
            elif turn % 3 == 1:
                trials = ds.dataset(folder).to_table(filter=ds.field("epoch") >= 0)["trial"].to_pylist()
            else:
                trials = read_table(folder, ["trial"])["trial"].to_pylist()
            assert trials == [n // 2 for n in range(len(trials))]
            sizes.append(len(trials))
        writer.kill(child)
    assert sizes == sorted(sizes) and len(set(sizes)) > 10
