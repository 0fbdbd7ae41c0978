"""How well the learner generalises on speech, by embedding: tuned on training speakers, measured once.

    python benchmarks/accuracy.py tune --train FILE --log tuning.jsonl  # leaves one speaker out at a time
    python benchmarks/accuracy.py grow --train FILE --log tuning.jsonl  # the same of each one's best, larger
    python benchmarks/accuracy.py measure --train FILE --test FILE --log tuning.jsonl --results results.jsonl
    python benchmarks/accuracy.py show --log tuning.jsonl --results results.jsonl

Every embedding is given the same number of draws, the first of them the same for all. What is best on average
over speakers that were left out is tried with more neurons, and then, with as many as all gain by, trained on
all speakers with several seeds. Each line of a log is a network; what is in it already is not done again, so
that an interrupted run goes on. `--set FIELD=VALUE` changes what is common to all; networks so made are told
apart from those without. Files are in the layout of SHD, with speakers.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model import LearnerConfig
from model.datasets import DataConfig, load_splits
from model.training.trainer import Trainer

EMBEDDINGS: dict[str, dict[str, Any]] = {
    "none": {"embedding": "none"},
    "fixed": {"embedding": "fixed"},
    "axonal": {"embedding": "axonal"},
    "free": {"embedding": "free"},
    "space, 2-D": {"embedding": "space", "dimensions": 2},
    "space, 3-D": {"embedding": "space", "dimensions": 3},
}
COMMON: dict[str, Any] = {
    "dt": 2.0,
    "duration": 1000.0,
    "tau_syn": 10.0,
    "pool_channels": 10,
    "augment_shift": 20.0,
    "augment_warp": 30.0,
    "augment_stretch": 0.2,
    "augment_jitter": 3.0,
}
HIDDEN = 128
FIRST = {
    "hidden": HIDDEN,
    "learning_rate": 0.1,
    "position_learning_rate": 0.01,
    "recurrent_gain": 0.7,
    "delay_scale": 120.0,
}
RANGES = {
    "learning_rate": (0.05, 0.4),
    "position_learning_rate": (0.003, 0.1),
    "recurrent_gain": (0.2, 1.5),
    "delay_scale": (20.0, 200.0),
}
"""Drawn on a logarithmic scale."""

Row = dict[str, Any]
Tried = dict[str, float]
"""What is tuned, by name: the neurons and what is drawn."""


def draws(count: int) -> list[Tried]:
    """What is tried: the same for all embeddings."""
    draw = np.random.default_rng(0)
    found = [dict(FIRST)]
    while len(found) < count:
        exponents = {name: draw.uniform(*np.log(ends)) for name, ends in RANGES.items()}
        found.append(FIRST | {name: float(f"{np.exp(value):.3g}") for name, value in exponents.items()})
    return found


def read(log: Path) -> list[Row]:
    """The networks in a log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def train(name: str, tried: Tried, epochs: int, data: DataConfig, seed: int, changed: Row) -> Row:
    """Train a network; accuracies are shares of samples."""
    start = time.process_time()
    config = LearnerConfig(**COMMON | EMBEDDINGS[name] | tried | {"epochs": epochs} | changed)
    trainer = Trainer(config, load_splits(data), [seed])
    while not trainer.finished:
        metrics = trainer.run_epoch()
    row: Row = {"embedding": name, **tried, "epochs": epochs, "seed": seed, "speaker": data.validation_group}
    row |= {"parameters": trainer.net.learned_parameters, "accuracy": float(metrics["accuracy"][0])}
    row |= {key: float(values[0]) for key, values in trainer.test().items()}
    row |= {"set": changed} if changed else {}
    return row | {"cpu_seconds": round(time.process_time() - start, 1)}


def run(todo: Iterator[tuple[str, Tried, int, DataConfig, int]], log: Path, changed: Row) -> None:
    """Train what is not in the log yet."""
    keys = ("embedding", *FIRST, "epochs", "seed", "speaker")
    known = {tuple(row[key] for key in keys) for row in read(log) if row.get("set", {}) == changed}
    for name, tried, epochs, data, seed in todo:
        if (name, *(tried[key] for key in FIRST), epochs, seed, data.validation_group) in known:
            continue
        row = train(name, tried, epochs, data, seed, changed)
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def best(rows: list[Row], name: str, hidden: int) -> tuple[Tried, list[float]]:
    """The draw of an embedding that is best on average over speakers, and its accuracies."""
    by_draw: dict[tuple[float, ...], list[float]] = {}
    for row in rows:
        if (row["embedding"], row["hidden"]) == (name, hidden) and "set" not in row:
            by_draw.setdefault(tuple(row[key] for key in FIRST), []).append(row["accuracy"])
    if not by_draw:
        raise SystemExit(f"no {name} network of {hidden} neurons is in the log; run `tune` or `grow` first")
    tried = max(by_draw, key=lambda one: statistics.mean(by_draw[one]))
    return dict(zip(FIRST, tried, strict=True)), by_draw[tried]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean of two values or more, and its standard error."""
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5


def show(tuned: list[Row], results: list[Row]) -> None:
    """Print what was found, and what it took."""
    for name in EMBEDDINGS:
        for hidden in sorted({row["hidden"] for row in tuned if row["embedding"] == name}):
            tried, held_out = best(tuned, name, hidden)
            print(f"{name:11} {tried} left out {100 * statistics.mean(held_out):.1f} %")
        found = [row for row in results if row["embedding"] == name]
        for key in ("test_accuracy", "test_accuracy_seen", "test_accuracy_unseen"):
            values = [100 * row[key] for row in found if key in row]
            if len(values) > 1:
                mean, error = mean_and_error(values)
                print(f"{'':11} {key:20} {mean:5.1f} +- {error:.1f} %, {len(values)} seeds")
        if found:
            print(f"{'':11} parameters           {found[0]['parameters']}")
    for said, rows in (("tuning", tuned), ("measuring", results)):
        print(f"{said}: {sum(row['cpu_seconds'] for row in rows) / 3600:.2f} CPU hours")


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=("tune", "grow", "measure", "show"))
    parser.add_argument("--train")
    parser.add_argument("--test")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=Path("results.jsonl"))
    parser.add_argument("--speakers", type=int, nargs="+", default=[0, 1, 4], help="left out, one at a time")
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=256, help="neurons to grow to, or to measure with")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="value in JSON")
    parser.add_argument("--embeddings", nargs="+", choices=EMBEDDINGS, default=list(EMBEDDINGS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    changed = {name: json.loads(value) for name, value in (one.split("=", 1) for one in asked.set)}
    if asked.act == "show":
        show(read(asked.log), read(asked.results))
    elif asked.act == "measure":
        # All speakers are trained on: the least share is held out, and nothing is chosen by it.
        data = DataConfig(path=asked.train, test=asked.test, validation=0.005)
        chosen = {name: best(read(asked.log), name, asked.hidden)[0] for name in asked.embeddings}
        run(
            (
                (name, chosen[name], asked.epochs, data, seed)
                for seed in range(asked.seeds)
                for name in asked.embeddings
            ),
            asked.results,
            changed,
        )
    else:
        tried = {name: draws(asked.draws) for name in asked.embeddings}
        if asked.act == "grow":
            log, larger = read(asked.log), {"hidden": asked.hidden}
            tried = {name: [best(log, name, HIDDEN)[0] | larger] for name in asked.embeddings}
        left_out = [DataConfig(path=asked.train, validation_group=one) for one in asked.speakers]
        run(
            (
                (name, one, asked.epochs, data, 0)
                for name in asked.embeddings
                for one in tried[name]
                for data in left_out
            ),
            asked.log,
            changed,
        )


if __name__ == "__main__":
    main()
