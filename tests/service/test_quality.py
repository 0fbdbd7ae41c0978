"""On a problem whose front is known, the service finds as much as Optuna alone does with as many trials.

ZDT1, Zitzler, Deb & Thiele 2000, doi:10.1162/106365600568202, with eight variables, which are real fields of
the learner, and a stub for the training.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from search import hypervolume
from service import Sweep
from service.config.sweep import SweepSpec, dump
from service.control.controller import SweepController
from service.worker.task import Report, Task

FIELDS = [
    "augment_blend",
    "augment_stretch",
    "augment_drop",
    "recurrent_gain",
    "wiring_cost",
    "rate_cost",
    "position_learning_rate",
    "augment_jitter",
]
TRIALS, POPULATION, SEEDS = 160, 16, 5
REFERENCE = (1.0, 3.0)


def zdt1(xs: list[float]) -> tuple[float, float]:
    g = 1 + 9 * sum(xs[1:]) / (len(xs) - 1)
    return xs[0], g * (1 - (xs[0] / g) ** 0.5)


def report(task: Task) -> Report:
    first, second = zdt1([getattr(task.learner, name) for name in FIELDS])
    metrics = {"loss": [first], "wiring_length": [second], "seconds": [0.0]}
    return Report(task.trial, task.learner.epochs, metrics, done=True)


def through_the_service(spec: SweepSpec, folder: Path) -> float:
    folder.mkdir()
    (folder / "sweep.yaml").write_text(dump(spec))
    with closing(SweepController(spec, folder)) as controller:
        while (task := controller.next_task()) is not None:
            controller.take(report(task))
    return hypervolume(Sweep(folder).front()[["loss", "wiring_length"]].to_numpy(), REFERENCE)


def with_optuna_alone(seed: int) -> float:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    study.optimize(lambda t: zdt1([t.suggest_float(name, 0, 1) for name in FIELDS]), n_trials=TRIALS)
    return hypervolume([trial.values for trial in study.best_trials], REFERENCE)


@pytest.mark.parametrize("sampler", ["nsga2"])
def test_the_front_is_as_good_as_that_of_optuna_alone(
    sampler: str, tmp_path: Path, small_spec: Callable[..., Any]
) -> None:
    space = ", ".join(f"learner.{name}: {{uniform: [0, 1]}}" for name in FIELDS)

    def spec(seed: int) -> SweepSpec:
        made: SweepSpec = small_spec(
            space=f"{{{space}}}",
            learner="{epochs: 1}",
            objectives="[{metric: loss, goal: min}, {metric: wiring_length, goal: min}]",
            search=f"{{sampler: {sampler}, population: {POPULATION}, trials: {TRIALS}, seed: {seed}}}",
        )
        return made

    ours = np.array([through_the_service(spec(seed), tmp_path / str(seed)) for seed in range(SEEDS)])
    alone = np.array([with_optuna_alone(seed) for seed in range(SEEDS)])
    noise = np.sqrt((ours.var(ddof=1) + alone.var(ddof=1)) / SEEDS)
    assert abs(ours.mean() - alone.mean()) < 3 * noise
    assert ours.mean() > 1.1  # random search: 0.7
