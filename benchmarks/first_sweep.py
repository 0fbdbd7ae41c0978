"""What delays, recurrence, dimensions and wiring cost are worth in the networks of the quickstart.

    python -m benchmarks.first_sweep run [--seeds 8] [--to benchmarks/results/first_sweep.csv]
    python -m benchmarks.first_sweep show [--to benchmarks/results/first_sweep.csv]

Each condition changes one thing of a network as the quickstart trains it, in 2-D, with delays of up to some
200 ms and without a cost. All conditions are trained with the same seeds. A line of the file is a network; a
condition that is in it already is not trained again, so that an interrupted run goes on. `show` prints means
with intervals over seeds, and differences from the first condition, paired by seed: Student's at 95 %.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats

from model.datasets import load_splits
from model.training.trainer import Trainer
from service.config.load import load
from service.config.templates import FOLDER
from service.report.intervals import t_interval

RESULTS = Path("benchmarks/results/first_sweep.csv")
BASE: dict[str, Any] = {"dimensions": 2, "delay_scale": 100.0, "wiring_cost": 0.0}
CONDITIONS: dict[str, dict[str, Any]] = {
    "as in the quickstart, delay scale 100 ms, 2-D, no cost": {},
    "no delays beyond a step": {"embedding": "none"},
    "delays drawn and not learned": {"embedding": "fixed"},
    "no recurrence": {"w_rec_sd": 0.0, "w_rec_learning_rate": 0.0},
    "delay scale 10 ms": {"delay_scale": 10.0},
    "delay scale 30 ms": {"delay_scale": 30.0},
    "delay scale 200 ms": {"delay_scale": 200.0},
    "1-D": {"dimensions": 1},
    "3-D": {"dimensions": 3},
    "wiring cost 0.01": {"wiring_cost": 0.01},
    "wiring cost 0.1": {"wiring_cost": 0.1},
    "wiring cost 1": {"wiring_cost": 1.0},
    "wiring cost 0.1, 1-D": {"wiring_cost": 0.1, "dimensions": 1},
    "wiring cost 0.1, 3-D": {"wiring_cost": 0.1, "dimensions": 3},
}
SHOWN = {
    "accuracy": "validation accuracy (%)",
    "test_accuracy": "test accuracy (%)",
    "wiring_length": "wiring length",
    "sparsity": "zero weights (%)",
}


def train(changes: dict[str, Any], seeds: int) -> pd.DataFrame:
    """The networks of one condition, a row a seed: what they are worth after their last epoch."""
    spec = load(FOLDER / "quickstart.yaml")
    config = replace(spec.learner, **{**BASE, **changes, "replicates": seeds})
    trainer = Trainer(config, load_splits(spec.data), list(range(seeds)))
    metrics = {}
    while not trainer.finished:
        metrics = trainer.run_epoch()
    metrics |= trainer.test()
    return pd.DataFrame({"seed": range(seeds)} | {name: metrics[name] for name in SHOWN})


def run(to: Path, seeds: int) -> None:
    """Train what is not in the file yet, a condition after the other."""
    torch.set_num_threads(1)
    known = pd.read_csv(to) if to.exists() else pd.DataFrame({"condition": []})
    for name, changes in CONDITIONS.items():
        if name in set(known["condition"]):
            continue
        started = time.monotonic()
        rows = train(changes, seeds)
        rows.insert(0, "condition", name)
        known = pd.concat([known, rows], ignore_index=True)
        known.to_csv(to, index=False, float_format="%.6g")
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


def show(known: pd.DataFrame) -> None:
    """The table, as Markdown, and how well validation tells the test of these networks."""
    base = known[known["condition"] == next(iter(CONDITIONS))].set_index("seed")
    print("| | " + " | ".join(SHOWN.values()) + " | test less that of the first |")
    print("|---" * (len(SHOWN) + 2) + "|")
    for name, rows in known.groupby("condition", sort=False):
        own = rows.set_index("seed")
        cells = [_cell(own[metric].to_numpy(), metric) for metric in SHOWN]
        difference = (own["test_accuracy"] - base["test_accuracy"]).to_numpy()
        cells.append("" if name == base["condition"].iloc[0] else _cell(difference, "test_accuracy", "+"))
        print(f"| {name} | " + " | ".join(cells) + " |")
    means = known.groupby("condition", sort=False)[["accuracy", "test_accuracy"]].mean()
    rho = stats.spearmanr(means["accuracy"], means["test_accuracy"]).statistic
    print(f"\nRank correlation of validation and test accuracy over {len(means)} conditions: {rho:.2f}")


def _cell(values: np.ndarray, metric: str, sign: str = "") -> str:
    factor = 100 if metric != "wiring_length" else 1
    low, high = t_interval(factor * values)
    return f"{factor * values.mean():{sign}.1f} ± {(high - low) / 2:.1f}"


def main() -> None:
    """Train, or show what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "show"))
    parser.add_argument("--seeds", type=int, default=8, help="networks a condition")
    parser.add_argument("--to", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.what == "run":
        run(asked.to, asked.seeds)
    show(pd.read_csv(asked.to))


if __name__ == "__main__":
    main()
