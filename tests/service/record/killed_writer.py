"""Appends to the record in the folder given, and is killed by the test that started it.

For each line on standard input a child is started. It prints its process number, then the number of each row
once `append_all` has returned; when it is dead, `dead` is printed.
"""

import os
import sys
from itertools import count
from pathlib import Path

from service.record.record import Record
from service.record.schema import make_schemas


def main(folder: Path) -> None:
    for _ in sys.stdin:
        child = os.fork()  # spares each round the imports
        if child == 0:
            append_until_killed(folder)
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


def append_until_killed(folder: Path) -> None:
    os.write(1, f"{os.getpid()}\n".encode())
    record = Record.open(folder, make_schemas({}, ["modularity"]), part_rows=60, flush_rows=15)
    for n in count(max(record.finished_trials(), default=-1) + 1):
        record.append_all(
            {
                "trials": [{"trial": n, "state": "complete"}],
                "epochs": [{"trial": n, "replicate": r, "epoch": n, "loss": n / 7} for r in range(2)],
            }
        )
        os.write(1, f"{n}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
