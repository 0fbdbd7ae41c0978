"""A sweep whose effects are known, written by the record, with a network for some trials."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from model import Cohort
from model.network.best import Best
from model.network.checkpoint import pack
from model.topology import MEASURES, SHAPES
from service.config.load import load
from service.config.sweep import SweepSpec, dump, learner_for
from service.record.record import Record
from service.record.schema import make_schemas, searched_columns
from service.report.exemplars import load as load_exemplars
from service.report.paper.sources import Sources
from service.report.sweep_data import read_sweep_data
from service.results.sweep import Sweep
from service.storage.atomic import write_whole
from service.storage.layout import network_file

SWEEP = """\
name: known
data: {name: digits}
learner: {hidden: 12, epochs: 3, duration: 20.0, dt: 2.0, replicates: 3}
space:
  learner.wiring_cost: {choice: [0.0, 0.01, 0.1, 1.0]}
  learner.embedding: {choice: [space, free]}
  learner.dimensions: {choice: [1, 2, 3], when: {learner.embedding: space}}
search: {sampler: random, trials: 40, seed: 0}
objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]
"""
COSTS = (0.0, 0.01, 0.1, 1.0)
BETTER = 0.05
"""By how much `space` is better than `free` in accuracy."""

DRIVE = 2.0
"""On every input weight, for neurons to spike."""
NULLS = ("clustering_ratio", "global_efficiency_ratio", "input_position_r2_ratio", "input_position_r2_cv_z")
"""What is recorded against nulls, on request."""
SHORTEST = (0.5, 0.7, 0.95)
"""Shares of the synapses that make graphs, on request."""

Row = dict[str, Any]


def value_of(metric: str, cost: float, embedding: str) -> float:
    """What a metric is on average."""
    in_space = embedding == "space"
    values = {
        "accuracy": 0.8 + BETTER * in_space - 0.02 * np.log10(cost + 0.01),
        "test_accuracy": 0.75,
        "wiring_length": 20.0 / (1 + 10 * cost),
        "sparsity": cost / (1 + cost),
    }
    return float(values.get(metric, 0.1))


def rows_of(trial: int, cost: float, embedding: str, dimensions: int | None) -> dict[str, list[Row]]:
    """The rows of one complete trial with three replicates."""
    draw = np.random.default_rng(trial)
    metrics = (
        "accuracy",
        "test_accuracy",
        "loss",
        "train_accuracy",
        "train_loss",
        "wiring_length",
        "sparsity",
    )
    last = {
        name: value_of(name, cost, embedding) + 0.002 * draw.normal(size=3)
        for name in (*metrics, "rate", "silent", "seconds")
    }
    trials: Row = {
        "trial": trial,
        "state": "complete",
        "replicates": 3,
        "epochs": 3,
        "wiring_cost": cost,
        "embedding": embedding,
        "dimensions": dimensions,
        "parameters": 500 if embedding == "free" else 400 + 12 * (dimensions or 0),
    }
    for name, values in last.items():
        trials |= {name: values.mean(), f"{name}_sem": values.std(ddof=1) / np.sqrt(3)}
    keys = [{"trial": trial, "replicate": r, "epoch": e} for e in (1, 2, 3) for r in range(3)]
    epochs = [
        key | {name: v[key["replicate"]] - 0.1 * (3 - key["epoch"]) for name, v in last.items()}
        for key in keys
    ]
    topology = [
        key | {name: 0.3 + cost + 0.01 * draw.normal() for name in (*MEASURES, *SHAPES)}
        for key in keys
        if key["epoch"] != 2
    ]
    neurons = [
        {"trial": trial, "replicate": 0, "epoch": e, "neuron": n, "rate": float(n), "module": n // 6}
        | {
            "preferred_class": n % 10 if n else None,
            "position": [0.1 * n] * dimensions if dimensions else None,
        }
        for e in (0, 3)
        for n in range(12)
    ]
    return {"trials": [trials], "epochs": epochs, "topology": topology, "neurons": neurons}


def requested_rows(trial: int, rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The `rows` of a trial with what is recorded on request, and with the tuning of neurons."""
    draw = np.random.default_rng(1000 + trial)
    networks = [(r, e) for r in range(3) for e in (0, 3)]
    first = [one | {"epoch": 0} for one in rows["topology"] if one["epoch"] == 1]
    topology = [
        one | {name: 1.0 + 0.1 * draw.normal() for name in NULLS} for one in [*first, *rows["topology"]]
    ]
    tuning = [
        {"radius": draw.random(), "preferred_time": 20 * draw.random(), "field_centroid": 64 * draw.random()}
        for _ in rows["neurons"]
    ]
    graphs = [
        {"trial": trial, "replicate": r, "epoch": e, "share": share}
        | {"modularity": draw.random(), "clustering_ratio": e + share, "efficiency_ratio": draw.random()}
        for r, e in networks
        for share in SHORTEST
    ]
    pruning = [
        {"trial": trial, "replicate": r, "by": by, "share": share, "accuracy": draw.random()}
        for r in range(3)
        for by in ("magnitude", "length")
        for share in (0.0, 0.5, 1.0)
    ]
    neurons = [one | more for one, more in zip(rows["neurons"], tuning, strict=True)]
    return rows | {"topology": topology, "neurons": neurons, "delay_graph": graphs, "pruning": pruning}


def planned() -> list[tuple[float, str, int | None]]:
    """Every combination once: 4 costs in space of 1 to 3 dimensions, and free."""
    spatial = [(cost, "space", dimensions) for cost in COSTS for dimensions in (1, 2, 3)]
    return [*spatial, *((cost, "free", None) for cost in COSTS)]


def write_known_sweep(
    folder: Path,
    trials: list[tuple[float, str, int | None]] | None = None,
    more: list[Row] | None = None,
    networks: tuple[int, ...] = (),
    everything: bool = False,
) -> Path:
    """The folder of a sweep: complete trials as planned, more rows of `trials`, networks of some.

    everything: whether it has what is recorded on request as well.
    """
    folder.mkdir(parents=True)
    (folder / "asked.yaml").write_text(SWEEP)
    spec = load(folder / "asked.yaml")
    (folder / "sweep.yaml").write_text(dump(spec))
    measures = (*MEASURES, *SHAPES, *NULLS) if everything else (*MEASURES, *SHAPES)
    with Record.open(folder, make_schemas(searched_columns(spec.space), measures)) as record:
        for trial, values in enumerate(planned() if trials is None else trials):
            rows = rows_of(trial, *values)
            record.append_all(requested_rows(trial, rows) if everything else rows)
            if trial in networks:
                drive = DRIVE if everything else 0.0
                write_whole(network_file(folder, trial), _network(spec, *values, drive))
        if more:
            record.append("trials", more)
    return folder


def sources_of(folder: Path) -> Sources:
    """What figures of the paper are drawn from, of the sweep in `folder`; no curves of leading trials."""
    sweep = Sweep(folder)
    sweep_data = read_sweep_data(sweep)
    return Sources(sweep_data, load_exemplars(sweep, sweep_data), pd.DataFrame())


def _network(spec: SweepSpec, cost: float, embedding: str, dimensions: int | None, drive: float) -> bytes:
    """Networks as drawn, with `drive` more on every input weight."""
    values = {"learner.wiring_cost": cost, "learner.embedding": embedding}
    learner = learner_for(spec, values | ({"learner.dimensions": dimensions} if dimensions else {}))
    net = Cohort(replace(learner, replicates=3), 64, 10, seeds=[1, 2, 3])
    with torch.no_grad():
        net.w_in.add_(drive)
    return pack(net, None, 3, Best.start(1))
