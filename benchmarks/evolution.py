"""Does evolution help? Arms that train networks for equally many epochs, with the same seeds.

    python -m benchmarks.evolution [--tasks TASK ...] [--only ARM ...] [--seeds N ...] [--out FOLDER]
    python -m benchmarks.evolution_tables [--out FOLDER] [--picture PICTURE]

Each run is a sweep of the service in this process, ended as soon as all its trials together have trained
for the epochs of its budget. All networks of a task have equally many neurons and equally long samples, so
that an epoch costs about the same in all arms, and what comes out does not depend on how busy the machine
is. Processor seconds are kept beside. A run that is finished is not done again; one that was broken off is
done from its start.

Runs of a seed begin with the same configurations, and with the same networks drawn for them: those of
random search. `delay_scale` is the same for all, so that no network can shrink in space and stay what it
was: wiring lengths can be compared.
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from service import Sweep
from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.storage.lock import sweep_lock
from service.worker.trial import Trial

COST = "cost.json"
"""Written when a run is finished: what it has cost."""
CHOOSING, CHOICES = 1000, 16
"""Seed of the search that chooses the fixed configuration, which is no seed of a run, and its trials."""

Config = dict[str, Any]


@dataclass(frozen=True)
class TaskSetting:
    """What is trained, for how long, and what is searched."""

    learner: Config
    """What all arms have in common; `epochs` are those of a network."""
    space: Config
    seeds: int
    """How many there are."""
    ready: int
    """Epochs between two comparisons."""
    population: int = 8

    @property
    def epochs(self) -> int:
        """Epochs of a network that is trained to its end."""
        return int(self.learner["epochs"])

    @property
    def budget(self) -> int:
        """Epochs of a run, of all its networks together."""
        return self.population * self.epochs


RATES: Config = {
    "learner.learning_rate": {"log": [0.01, 1.0]},
    "learner.position_learning_rate": {"log": [1e-3, 0.1]},
    "learner.wiring_cost": {"log": [1e-4, 1.0]},
    "learner.rate_cost": {"log": [1e-3, 1.0]},
    "learner.dimensions": {"int": [1, 3]},
}
TASKS = {
    "yin_yang": TaskSetting(
        learner={
            "hidden": 16,
            "epochs": 8,
            "dt": 2.0,
            "duration": 60.0,
            "delay_scale": 10.0,
            "batch_size": 400,
            "initial_rate": 3.0,
            "target_rate": 2.0,
            "revival": 0.2,
            "schedule": "constant",
        },
        space=RATES,
        seeds=10,
        ready=2,
    ),
    "spoken_digits": TaskSetting(
        learner={
            "hidden": 64,
            "epochs": 8,
            "dt": 4.0,
            "duration": 800.0,
            "delay_scale": 120.0,
            "recurrent_gain": 0.7,
            "tau_syn": 10.0,
            "batch_size": 50,
            "schedule": "constant",
        },
        space={
            **RATES,
            "learner.augment_warp": {"uniform": [0.0, 6.0]},
            "learner.augment_stretch": {"uniform": [0.0, 0.4]},
        },
        seeds=7,
        ready=2,
    ),
}
LOSS = [{"metric": "loss", "goal": "min"}]
BOTH = [*LOSS, {"metric": "wiring_length", "goal": "min"}]
MOVES = {"dimension_up": 0.2}


def searching(task: TaskSetting, seed: int, objectives: list[Config] = LOSS, **search: Any) -> Config:
    """A sweep that searches the task's space; more trials than its budget of epochs can hold."""
    return {
        "learner": task.learner,
        "space": task.space,
        "search": {"trials": task.budget, "seed": seed, **search},
        "objectives": objectives,
        "record": {"snapshots": 1},
    }


def evolving(
    task: TaskSetting, seed: int, objectives: list[Config] = LOSS, ready: int = 0, **evolution: Any
) -> Config:
    """A population whose founders are those of random search."""
    chosen = {
        "population": task.population,
        "ready": ready or task.ready,
        "synchronous": True,
        "moves": MOVES,
        **evolution,
    }
    sweep = searching(task, seed, objectives, sampler="random", evolution=chosen)
    sweep["record"] = {"snapshots": list(range(task.ready, task.epochs, task.ready))}
    return sweep


def at_random(task: TaskSetting, seed: int) -> Config:
    """Random search."""
    return searching(task, seed, sampler="random", trials=task.population)


def annealed(sweep: Config) -> Config:
    """The same with the default schedule, which evolution can't have."""
    return {**sweep, "learner": {**sweep["learner"], "schedule": "cosine"}}


def by_asha(task: TaskSetting, seed: int) -> Config:
    """TPE, whose trials ASHA ends early."""
    return searching(task, seed, sampler="tpe") | {"stopping": {"rule": "asha", "grace": 1, "reduction": 3}}


def one_more_dimension(task: TaskSetting, seed: int) -> Config:
    """Evolution whose founders have one dimension more, and all keep theirs."""
    sweep = evolving(task, seed, moves={})
    low, high = task.space["learner.dimensions"]["int"]
    return {**sweep, "space": {**task.space, "learner.dimensions": {"int": [low + 1, high + 1]}}}


def fixed(task: TaskSetting, seed: int, values: Mapping[str, Any]) -> Config:
    """A single network of a configuration that is known, trained for the whole budget."""
    known = {path.removeprefix("learner."): value for path, value in values.items()}
    learner = {**task.learner, **known, "epochs": task.budget, "schedule": "cosine"}
    return {
        "learner": learner,
        "search": {"sampler": "random", "trials": 1, "seed": seed},
        "objectives": LOSS,
        "record": {"snapshots": 1},
    }


ARMS: dict[str, Callable[[TaskSetting, int], Config]] = {
    "evolution": evolving,
    "random": at_random,
    "asha": by_asha,
    "rarer": lambda task, seed: evolving(task, seed, ready=2 * task.ready),
    "selection": lambda task, seed: evolving(task, seed, moves={}, explore={"perturb": 1.0, "resample": 0.0}),
    "mutation": lambda task, seed: searching(
        task, seed, sampler="nsga2", population=task.population // 2, crossover=0.0, mutation=0.5
    ),
    "higher": one_more_dimension,
    "upward": lambda task, seed: evolving(task, seed, moves={"dimension_up": 1.0}),
    "annealed": lambda task, seed: annealed(at_random(task, seed)),
    "front": lambda task, seed: evolving(task, seed, BOTH),
    "front_tpe": lambda task, seed: searching(task, seed, BOTH, sampler="tpe", startup=task.population // 2),
}
"""The arms but `fixed`, whose configuration has to be chosen first."""
EVERY = (*ARMS, "fixed")
DEFAULT: dict[str, tuple[str, ...]] = {"yin_yang": EVERY, "spoken_digits": ("evolution", "random", "asha")}


def conduct(sweep: Config, home: Path, budget: int) -> None:
    """Run a sweep in this process until its trials have trained for `budget` epochs, from its start.

    What a trial has reached when the budget is used up is recorded, and the trial stays unfinished.
    """
    shutil.rmtree(home, ignore_errors=True)
    started, spent = time.process_time(), 0
    spec = load(sweep)
    with sweep_lock(home):
        (home / "sweep.yaml").write_text(dump(spec))
        with closing(SweepController(spec, home)) as controller:
            while spent < budget and (task := controller.next_task()) is not None:
                trial, goes_on = Trial(task), True
                while goes_on and spent < budget:
                    report = trial.advance()
                    verdict = controller.take(report)
                    goes_on = verdict.goes_on
                    spent += verdict.advanced and "train_loss" in report.metrics
        cost = {"epochs": spent, "cpu_seconds": round(time.process_time() - started, 2)}
        (home / COST).write_text(json.dumps(cost))


def finished(home: Path) -> bool:
    """Whether a run has come to its end."""
    return (home / COST).exists()


def chosen(name: str, task: TaskSetting, out: Path) -> dict[str, Any]:
    """The configuration that a user would take: the best of a search at random, which is done first.

    That search has a seed of its own, and what it costs does not count for the arm that is trained with it.
    """
    home = out / f"{name}-choosing"
    if not finished(home):
        sweep = annealed(searching(task, CHOOSING, sampler="random", trials=CHOICES))
        conduct({"name": home.name, "data": {"name": name}, **sweep}, home, CHOICES * task.epochs)
    spec: SweepSpec = Sweep(home).spec
    best = Sweep(home).best()
    return {path: best[path.rpartition(".")[2]].iloc[0].item() for path in spec.space.paths}


def run(name: str, arm: str, seed: int, out: Path) -> None:
    """Run an arm of a task with a seed, unless that has been done."""
    task, home = TASKS[name], out / f"{name}-{arm}-{seed}"
    if finished(home):
        return
    sweep = fixed(task, seed, chosen(name, task, out)) if arm == "fixed" else ARMS[arm](task, seed)
    conduct({"name": home.name, "data": {"name": name}, **sweep}, home, task.budget)
    print(f"{home.name}: {(home / COST).read_text()}", flush=True)


def main() -> None:
    """Run what is asked for, seed by seed, so that all arms have equally many when it is broken off."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--only", nargs="+", choices=EVERY, metavar="ARM", help=", ".join(EVERY))
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/evolution"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.tasks:
        for seed in asked.seeds or range(TASKS[name].seeds):
            for arm in asked.only or DEFAULT[name]:
                run(name, arm, seed, asked.out)


if __name__ == "__main__":
    main()
