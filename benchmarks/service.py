"""What the service costs: stub trials through it, beside bare Ray Tune with its default loggers.

    python benchmarks/service.py [--trials 10000] [--results 10] [--sampler nsga2]

A stub trial does nothing but report, so that all the time is overhead: that of Ray Tune, which both pay, and
that of the service, its search, record and MLflow view, or of Tune's own loggers. Each is run in a process of
its own. History is that of the driver after a tenth of the trials and at the end.
"""

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
# or this file would be taken for the package `service`

CONCURRENT = 2

SWEEP = """\
name: stub
data: {{name: digits}}
learner: {{epochs: {results}}}
space:
  learner.wiring_cost: {{log: [1e-7, 1e-3]}}
  learner.dimensions: {{choice: [1, 2, 3, 4]}}
  learner.delay_scale: {{uniform: [2, 60]}}
search: {{sampler: {sampler}, trials: {trials}}}
objectives: [{{metric: accuracy, goal: max}}, {{metric: wiring_length, goal: min}}]
resources: {{concurrent: {concurrent}}}
"""


class Stub:
    """A trial that trains nothing."""

    def __init__(self, task: Any) -> None:
        self._task, self._epoch = task, 0

    def advance(self) -> Any:
        """An epoch of no time."""
        from service.worker.task import Report

        self._epoch += 1
        learner = self._task.learner
        metrics = {
            "accuracy": [1 / (1 + learner.dimensions + learner.wiring_cost)],
            "loss": [1.0 / self._epoch],
            "wiring_length": [learner.delay_scale],
            "silent": [0.0],
            "seconds": [0.0],
        }
        return Report(self._task.trial, self._epoch, metrics, done=self._epoch == learner.epochs)


def sweep_file(folder: Path, trials: int, results: int, sampler: str) -> Path:
    """A sweep of stub trials."""
    file = folder / "stub.yaml"
    file.write_text(
        SWEEP.format(trials=trials, results=results, sampler=sampler, concurrent=CONCURRENT), "utf-8"
    )
    return file


def service(folder: Path, trials: int, results: int, sampler: str) -> None:
    """The stub trials as a sweep."""
    from rich.console import Console

    from service.commands.run import conduct
    from service.config.load import read_sweep
    from service.execution.ray_tune import run_on_ray

    file = sweep_file(folder, trials, results, sampler)
    with (folder / "said").open("w") as said:
        conduct(*read_sweep(file), folder / "runs", Console(file=said), lambda one: run_on_ray(one, Stub))


def without_mlflow(folder: Path, trials: int, results: int, sampler: str) -> None:
    """The same without the view in MLflow, which a thread of its own writes, and without progress."""
    from service.config.load import read_sweep
    from service.control.controller import SweepController
    from service.execution.ray_tune import run_on_ray

    file = sweep_file(folder, trials, results, sampler)
    with closing(SweepController(read_sweep(file)[0], folder / "runs" / "stub")) as controller:
        run_on_ray(controller, Stub)


def bare_tune(folder: Path, trials: int, results: int, sampler: str) -> None:
    """The same in Ray Tune alone, with random search."""
    import ray
    from ray import tune

    class Trainable(tune.Trainable):
        def setup(self, config: dict[str, float]) -> None:
            self.config = config

        def reset_config(self, new_config: dict[str, float]) -> bool:
            self.config = new_config
            return True

        def step(self) -> dict[str, Any]:
            accuracy = 1 / (1 + self.config["dimensions"] + self.config["wiring_cost"])
            return {
                "accuracy": accuracy,
                "loss": 1.0 / self.iteration if self.iteration else 1.0,
                "wiring_length": self.config["delay_scale"],
                "silent": 0.0,
                "done": self.iteration + 1 >= results,
            }

    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    space = {
        "wiring_cost": tune.loguniform(1e-7, 1e-3),
        "dimensions": tune.choice([1, 2, 3, 4]),
        "delay_scale": tune.uniform(2, 60),
    }
    tune.Tuner(
        tune.with_resources(Trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=CONCURRENT, reuse_actors=True),
        run_config=tune.RunConfig(
            name="stub",
            storage_path=str(folder),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    ray.shutdown()


RUNS: dict[str, Callable[[Path, int, int, str], None]] = {
    "service": service,
    "without MLflow": without_mlflow,
    "bare Ray Tune": bare_tune,
}


def resident() -> float:
    """History that this process holds (MB)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@contextmanager
def watched(found: dict[str, Any]) -> Iterator[None]:
    """Note the memory of this process every second, with the time."""
    over = threading.Event()
    course: list[tuple[float, float]] = []

    def watch() -> None:
        while not over.wait(1.0):
            course.append((time.perf_counter(), resident()))

    thread = threading.Thread(target=watch)
    thread.start()
    start, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        over.set()
        thread.join()
    found |= {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    tenth = start + found["wall"] * 0.1
    found["early"] = next((memory for at, memory in course if at >= tenth), resident())
    found["late"] = resident()


def measured(name: str, trials: int, results: int, sampler: str) -> dict[str, float]:
    """What a run costs, in a process of its own."""
    arguments = [f"--trials={trials}", f"--results={results}", f"--sampler={sampler}", f"--run={name}"]
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(name: str, trials: int, results: int, sampler: str) -> None:
    """Do one of `RUNS` in this process, and print what it cost."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ply") as folder:
        os.environ["RAY_TMPDIR"] = folder
        with watched(found):
            RUNS[name](Path(folder), trials, results, sampler)
    print(json.dumps(found))


def compare(trials: int, results: int, sampler: str) -> None:
    """Measure all of `RUNS`, and print a table."""
    print(f"{trials} stub trials of {results} results, {CONCURRENT} at once")
    print("                  start    a trial   a further result   driver's CPU a trial   its memory")
    for name in RUNS:
        start = measured(name, CONCURRENT, 1, sampler)
        short = measured(name, trials // 10, 1, sampler)
        full = measured(name, trials, results, sampler)
        trial = (full["wall"] - start["wall"]) / trials
        result = (trial - (short["wall"] - start["wall"]) / (trials // 10)) / (results - 1)
        cpu = (full["cpu"] - start["cpu"]) / trials
        print(
            f"{name:15}{start['wall']:6.1f} s{trial * 1e3:8.1f} ms{result * 1e3:16.2f} ms"
            f"{cpu * 1e3:20.1f} ms{full['early']:10.0f} -> {full['late']:.0f} MB"
        )


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--results", type=int, default=10)
    parser.add_argument("--sampler", default="nsga2")
    parser.add_argument("--run", choices=RUNS, help="do this one alone, and print its cost")
    asked = parser.parse_args()
    if asked.run:
        run(asked.run, asked.trials, asked.results, asked.sampler)
    else:
        compare(asked.trials, asked.results, asked.sampler)


if __name__ == "__main__":
    main()
