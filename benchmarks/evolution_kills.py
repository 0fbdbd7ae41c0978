"""Kills actors and the driver of a sweep whose population evolves, and audits what is left of it.

    python -m benchmarks.evolution_kills [--rounds 20] [--epochs 60] [--seed 0] [--keep DIR]

A synchronous population of small real networks runs on a Ray cluster of one node of two cores on this
machine. In each round, at a random moment, an actor or the driver gets SIGKILL, and the sweep is resumed as
a person would do it. At the end no member may be lost or doubled, the population must have been as large at
every comparison, and the tables must equal, to the digit, those of the same sweep run without harm, in this
process and without Ray. Prints a table of the rounds and the audit; the exit code is 1 if that finds a fault.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests" / "support")

from audit import audit_population, differences  # noqa: E402
from chaos import Round, Scene, left_over, play  # noqa: E402

from service.config.load import load  # noqa: E402
from service.config.sweep import dump  # noqa: E402
from service.control.controller import SweepController  # noqa: E402
from service.execution.in_process import run_in_process  # noqa: E402

POPULATION, REPLICATES = 6, 2
SWEEP = """\
name: chaos
data: {{name: digits}}
learner:
  {{hidden: 10, epochs: {epochs}, duration: 20.0, dt: 2.0, batch_size: 128,
   replicates: 2, schedule: constant}}
space:
  learner.wiring_cost: {{log: [1e-4, 1e-1]}}
  learner.dimensions: {{choice: [1, 2, 3, 4]}}
  learner.learning_rate: {{log: [0.01, 0.3]}}
search:
  sampler: random
  trials: 100
  seed: 7
  evolution:
    {{population: 6, ready: 4, grace: 0, synchronous: true, moves: {{dimension_up: 0.3, split: 0.2}}}}
objectives: [{{metric: loss, goal: min}}]
resources: {{checkpoint: 0.5}}
"""
KILLED = {"worker": 3, "driver": 2}
"""How often each is drawn."""


def show(one: Round) -> None:
    """Print a line of the table."""
    code = "" if one.code is None else str(one.code)
    print(f"{one.act:16}{one.finished:8}{code:>8}{one.seconds:10.1f} s", flush=True)


def disturbed(folder: Path, rounds: int, epochs: int, seed: int) -> list[str]:
    """Run the sweep through all rounds; returns what is wrong with it."""
    acts = random.Random(seed).choices(list(KILLED), list(KILLED.values()), k=rounds)
    scene = Scene(folder, SWEEP.format(epochs=epochs), f"sqlite:///{folder / 'server.db'}", seed, nodes=0)
    scene.pause = 1.0
    whole = POPULATION * epochs * REPLICATES
    try:
        print(f"{'killed':16}{'finished':>8}{'exit':>8}{'again after':>12}", flush=True)
        faults = play(scene, acts, show, lambda n: scene.epochs() >= whole * (n + 0.2) / (rounds + 1))
        time.sleep(5)  # workers of a driver that is gone are given notice
        faults += left_over(scene)
        return faults + audit_population(scene.sweep, POPULATION, epochs, REPLICATES, scene.server.uri)
    finally:
        scene.close()


def undisturbed(folder: Path, epochs: int) -> Path:
    """Run the sweep in this process without any harm; returns its folder."""
    home = folder / "chaos"
    home.mkdir(parents=True)
    file = folder / "chaos.yaml"
    file.write_text(SWEEP.format(epochs=epochs))
    spec = load(file)
    (home / "sweep.yaml").write_text(dump(spec))
    with closing(SweepController(spec, home)) as controller:
        run_in_process(controller, lambda task, report: None)
    return home


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=60, help="more on a machine that is faster")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="a new folder for all files, to be kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.keep or Path(temporary) / "chaos").resolve()
        folder.mkdir(parents=True)
        began = time.monotonic()
        faults = disturbed(folder, asked.rounds, asked.epochs, asked.seed)
        print(f"{time.monotonic() - began:.0f} s, load {os.getloadavg()[2]:.1f}", flush=True)
        faults += differences(folder / "runs" / "chaos", undisturbed(folder / "undisturbed", asked.epochs))
        print(
            "\n".join(faults)
            or "audit: no member is lost or doubled, and all tables are the same to the digit"
        )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
