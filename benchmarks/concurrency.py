"""How much faster a sweep is with two trials at once, and what the service itself costs on a cluster.

    python -m benchmarks.concurrency [--trials 40] [--epochs 30]

The same real trials, first one at a time and then two, on a Ray of the sweep's own and through all of the
service, MLflow and the record included. What counts is the time that trials were trained for, per second that
passed between the start of the first trial and the end of the last.
"""

import argparse
import io
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

SWEEP = """\
name: concurrency
data: {{name: digits}}
learner: {{hidden: 32, epochs: {epochs}, duration: 40.0, dt: 1.0, replicates: 2}}
space:
  learner.wiring_cost: {{log: [1e-4, 1e-1]}}
  learner.delay_scale: {{uniform: [2, 10]}}
search: {{sampler: random, trials: {trials}, seed: 0}}
objectives: [{{metric: accuracy, goal: max}}, {{metric: wiring_length, goal: min}}]
resources: {{concurrent: {concurrent}}}
"""


if TYPE_CHECKING:
    from service.record.rows import FinishedTrial


class Timed:
    """A listener that notes when the first trial started, when the last ended, and what all took together."""

    def __init__(self) -> None:
        self.started, self.ended, self.trained = 0.0, 0.0, 0.0

    def trial_started(self, trial: int, params: Any) -> None:
        """The first one starts the clock."""
        self.started = self.started or time.perf_counter()

    def epoch(self, trial: int, epoch: int, metrics: Any) -> None:
        """Nothing to note."""

    def trial_finished(self, finished: "FinishedTrial") -> None:
        """The last one stops it."""
        self.ended = time.perf_counter()
        self.trained += finished.row["seconds"]

    def worker_idle(self, running: int) -> None:
        """Nothing to note."""


def measured(trials: int, epochs: int, concurrent: int) -> Timed:
    """Run the sweep with so many trials at once."""
    from service.commands.run import conduct
    from service.config.load import read_sweep
    from service.control.controller import SweepController
    from service.execution.ray_tune import run_on_ray

    timed = Timed()

    def execute(controller: SweepController) -> None:
        controller.listeners = [*controller.listeners, timed]
        run_on_ray(controller)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.yaml"
        file.write_text(SWEEP.format(trials=trials, epochs=epochs, concurrent=concurrent))
        conduct(*read_sweep(file), Path(folder) / "runs", Console(file=io.StringIO()), execute)
    return timed


def main() -> None:
    """Read the options, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=30)
    asked = parser.parse_args()
    print(f"{asked.trials} trials of {asked.epochs} epochs on {os.cpu_count()} cores")
    print("at once    wall   trained   trained per second   service per trial   load")
    rates = []
    for concurrent in (1, 2):
        timed = measured(asked.trials, asked.epochs, concurrent)
        wall = timed.ended - timed.started
        rates.append(timed.trained / wall)
        idle = (wall * concurrent - timed.trained) / asked.trials
        load = os.getloadavg()[1]
        print(f"{concurrent:7}{wall:6.0f} s{timed.trained:8.0f} s{rates[-1]:21.2f}{idle:18.2f} s{load:7.1f}")
    print(f"two at once train {rates[1] / rates[0]:.2f} times as much in the same time")


if __name__ == "__main__":
    main()
