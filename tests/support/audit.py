"""Whether a finished sweep has each trial once: in its plan, its tables, its study, its folder and MLflow."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import TrialState

from service import Sweep, optuna_study
from service.worker.task import snapshot_epochs

KEYS = {
    "trials": ["trial"],
    "epochs": ["trial", "replicate", "epoch"],
    "topology": ["trial", "replicate", "epoch"],
    "neurons": ["trial", "replicate", "epoch", "neuron"],
}
OF_TIME = ["seconds", "seconds_sem", "cpu_seconds", "gpu_seconds", "environment", "node"]
"""Columns that no two runs have alike."""


def audit(folder: Path, trials: int, epochs: int, replicates: int, uri: str) -> list[str]:
    """What is wrong with a sweep that should be complete; nothing if all is well.

    Args:
        folder: of the sweep.
        trials: how many it should have, numbered from 0.
        epochs: of each.
        replicates: of each.
        uri: of the MLflow store.
    """
    numbers = range(trials)
    entries = [json.loads(line) for line in (folder / "plan.jsonl").read_text().splitlines()]
    planned = [entry["suggestion"]["trial"] for entry in entries if "suggestion" in entry]
    faults = _each_once("the plan", planned, numbers)
    sweep = Sweep(folder)
    rows = sweep.table("trials")
    faults += _each_once("the table `trials`", rows["trial"], numbers)
    faults += [f"trial {t}: {s}, {r}" for t, s, r in _of(rows, "trial", "state", "reason") if s != "complete"]
    every = [(t, r, e) for t in numbers for r in range(replicates) for e in range(1, epochs + 1)]
    found = _of(sweep.table("epochs"), "trial", "replicate", "epoch")
    faults += _each_once("the table `epochs`", found, every)
    drawn = [(t, r, e) for t in numbers for r in range(replicates) for e in sorted(snapshot_epochs(epochs))]
    found = _of(sweep.table("topology"), "trial", "replicate", "epoch")
    faults += _each_once("the table `topology`", found, drawn)
    neurons = sweep.table("neurons")
    doubled = neurons.duplicated(["trial", "replicate", "epoch", "neuron"]).sum()
    faults += [f"the table `neurons` has {doubled} rows twice"] if doubled else []
    of_neurons = set(_of(neurons, "trial", "replicate", "epoch"))
    faults += _each_once("the table `neurons`", of_neurons, drawn)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studied = optuna_study(sweep).get_trials(deepcopy=False)
    complete = [one.number for one in studied if one.state == TrialState.COMPLETE]
    faults += _each_once("the study", complete, numbers)
    steps = {trial: range(1, epochs + 1) for trial in numbers}
    return faults + _in_folder(folder, trials) + _in_mlflow(uri, folder.name, steps)


def audit_population(folder: Path, population: int, epochs: int, replicates: int, uri: str) -> list[str]:
    """What is wrong with a synchronous sweep whose population should be at its end; nothing if all is well.

    Args:
        folder: of the sweep.
        population: how many members there are at any time.
        epochs: of each lineage.
        replicates: of each trial.
        uri: of the MLflow store.
    """
    sweep = Sweep(folder)
    begun = {one.trial: one for one in sweep.plan.begun}
    faults = _each_once("the plan", [one.trial for one in sweep.plan.begun], range(len(begun)))
    holders = [trial for trial, one in begun.items() if one.birth is None]
    for decision in sweep.plan.decisions:
        at = f"the population at epoch {decision.epoch}"
        faults += _each_once(at, decision.members, holders)
        for child in decision.children:
            assert child.birth is not None
            if child.birth.replaces not in holders:
                faults.append(f"{at} has no trial {child.birth.replaces} that {child.trial} could replace")
            holders = [one for one in holders if one != child.birth.replaces] + [child.trial]
    faults += [] if len(holders) == population else [f"the population has {len(holders)} members at the end"]
    rows = sweep.table("trials")
    faults += _each_once("the table `trials`", rows["trial"], list(begun))
    complete = rows.loc[rows["state"] == "complete", "trial"]
    faults += _each_once("complete trials", complete, holders)
    ends = dict(zip(rows["trial"], rows["epochs"], strict=True))
    births = {trial: one.birth.epoch if one.birth else 1 for trial, one in begun.items()}
    trained = {trial: range(first, int(ends.get(trial, 0)) + 1) for trial, first in births.items()}
    every = [(t, r, e) for t, own in trained.items() for r in range(replicates) for e in own]
    found = _of(sweep.table("epochs"), "trial", "replicate", "epoch")
    faults += _each_once("the table `epochs`", found, every)
    faults += [f"trial {t} ended at epoch {ends[t]}" for t in holders if ends.get(t) != epochs]
    faults += [f"{path} is left" for path in [*folder.glob("states/*"), *folder.glob("checkpoints/*")]]
    return faults + _in_mlflow(uri, folder.name, trained)


def differences(one: Path, other: Path) -> list[str]:
    """Where the results of two sweeps in those folders differ, to the digit."""
    faults = []
    for table, keys in KEYS.items():
        here, there = (
            Sweep(folder).table(table).drop(columns=OF_TIME, errors="ignore").sort_values(keys)
            for folder in (one, other)
        )
        if not here.reset_index(drop=True).equals(there.reset_index(drop=True)):
            faults.append(f"the table `{table}` is not the same, to the digit")
    return faults


def _in_folder(folder: Path, trials: int) -> list[str]:
    hidden = [path for path in folder.glob("**/.*.*") if path.is_file() and path.parent != folder]
    faults = [f"{path} is left" for path in [*folder.glob("checkpoints/*"), *hidden]]
    networks = len(list(folder.glob("networks/*.safetensors")))
    return faults if networks == trials else [*faults, f"there are {networks} networks"]


def _in_mlflow(uri: str, name: str, epochs: Mapping[int, Iterable[int]]) -> list[str]:
    """What is wrong with the runs of a sweep whose trials have these epochs, by number."""
    from service.tracking.client import client_of

    client = client_of(uri)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return ["MLflow has no such experiment"]
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    parents = [run for run in runs if "polychrony.trial" not in run.data.tags]
    children = [(int(run.data.tags["polychrony.trial"]), run) for run in runs if run not in parents]
    faults = _each_once("MLflow", [trial for trial, _ in children], list(epochs))
    faults += [f"MLflow has {len(parents)} runs of the sweep"] if len(parents) != 1 else []
    states = [(run.info.run_name, run.info.status) for run in runs]
    faults += [f"MLflow: {run} is {status}" for run, status in states if status != "FINISHED"]
    for trial, run in children:
        for metric in ("accuracy", "wiring_length"):
            steps = [one.step for one in client.get_metric_history(run.info.run_id, metric)]
            faults += _each_once(f"MLflow: `{metric}` of trial {trial}", steps, epochs.get(trial, ()))
    return faults


def _of(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


def _each_once(place: str, found: Iterable[object], wanted: Iterable[object]) -> list[str]:
    """What is missing, doubled or too much."""
    have, want = Counter(found), Counter(wanted)
    missing, more = want - have, have - want
    faults = [f"{place} lacks {_some(missing)}"] if missing else []
    return [*faults, f"{place} has {_some(more)} once too often"] if more else faults


def _some(counted: Counter[object]) -> str:
    shown = ", ".join(str(one) for one in list(counted)[:5])
    return shown if len(counted) <= 5 else f"{shown} and {len(counted) - 5} more"
