"""Kills workers, nodes, the head, the driver and the MLflow server of a sweep, and audits what is left of it.

    python -m benchmarks.chaos [--rounds 24] [--trials 60] [--seed 0] [--store URI] [--undisturbed] ...

A sweep of short real trials runs on a cluster of a head and two nodes, all on this machine. At random
moments, spread over the sweep, something is killed, and the sweep resumed where a person would have to. At
the end each trial must stand once in plan, tables, study and MLflow, with all its epochs, and nothing may be
left behind. With `--undisturbed` the same sweep is then run without harm, and the results must be the same,
to the digit. Prints a table of the rounds and the audit; the exit code is 1 if that finds anything.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests" / "support")

from audit import audit, differences  # noqa: E402
from chaos import SWEEP, Round, Scene, left_over, play, spread  # noqa: E402

HIDDEN, REPLICATES = 16, 2
WEIGHTS = {"worker": 6, "node": 3, "driver": 5, "interrupt": 3, "interrupt twice": 2, "mlflow": 4, "head": 1}
"""How often each act is drawn, after one of each."""


def acts_of(rounds: int, seed: int, store: str) -> list[str]:
    """What is done in each round: everything once at least, in random order."""
    weights = WEIGHTS | ({"postgresql": 4} if store.startswith("postgresql") else {})
    draw = random.Random(seed)
    more = draw.choices(list(weights), list(weights.values()), k=max(0, rounds - len(weights)))
    acts = [*weights, *more][:rounds]
    draw.shuffle(acts)
    return acts


def show(one: Round) -> None:
    """Print a line of the table."""
    code = "" if one.code is None else str(one.code)
    print(f"{one.act:16}{one.finished:8}{code:>8}{one.seconds:10.1f} s", flush=True)


def disturbed(folder: Path, rounds: int, trials: int, epochs: int, seed: int, store: str) -> list[str]:
    """Run the sweep through all rounds; returns what is wrong with it."""
    scene = Scene(folder, SWEEP.format(hidden=HIDDEN, epochs=epochs, trials=trials), store, seed)
    try:
        print(f"{'killed':16}{'finished':>8}{'exit':>8}{'again after':>12}", flush=True)
        faults = play(scene, acts_of(rounds, seed, store), show, spread(scene, trials, rounds))
        time.sleep(5)  # workers of a driver that is gone are given notice
        return faults + left_over(scene) + audit(scene.sweep, trials, epochs, REPLICATES, scene.server.uri)
    finally:
        scene.close()


def undisturbed(folder: Path, other: Path, trials: int, epochs: int) -> list[str]:
    """Run the sweep without any harm; returns where the results differ."""
    folder.mkdir()
    text = SWEEP.format(hidden=HIDDEN, epochs=epochs, trials=trials)
    scene = Scene(folder, text, f"sqlite:///{folder / 'server.db'}", 0)
    try:
        return play(scene, [], show, spread(scene, trials, 1)) + differences(scene.sweep, other)
    finally:
        scene.close()


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=40, help="more on a machine that is faster")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", help="database of the MLflow server; SQLite by default")
    parser.add_argument("--undisturbed", action="store_true", help="compare with a run without harm")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="a new folder for all files, to be kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.keep or Path(temporary) / "chaos").resolve()
        folder.mkdir(parents=True)
        store = asked.store or f"sqlite:///{folder / 'server.db'}"
        began = time.monotonic()
        faults = disturbed(folder, asked.rounds, asked.trials, asked.epochs, asked.seed, store)
        print(f"{time.monotonic() - began:.0f} s, load {os.getloadavg()[2]:.1f}", flush=True)
        if asked.undisturbed:
            other = folder / "runs" / "chaos"
            faults += undisturbed(folder / "undisturbed", other, asked.trials, asked.epochs)
        print("\n".join(faults) or "audit: nothing is lost, nothing is doubled, nothing is left behind")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
