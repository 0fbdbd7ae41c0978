"""How well learners of delays hear spoken digits, on the same files, and what that costs.

    python -m benchmarks.speech_peers --train FILE --test FILE --results FILE [--peers NAME ...] [--seeds 3]

Each peer is trained on all training samples by its own published recipe, as far as it goes for so few of
them, and measured once, after its last epoch; nothing is chosen on the test set. One thread each. Each line
of the results is a network; what is there already is not done again. Files are in the layout of SHD, with
speakers.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import dcls
from model import LearnerConfig
from model.augmentation import Augmentation, augment
from model.datasets import DataConfig, Splits, load_splits
from model.training.trainer import Trainer
from service.config.load import load
from service.config.templates import FOLDER

DURATION = 1000.0
VARIED = Augmentation(shift=20.0, warp=30.0, stretch=0.2, jitter=3.0)
"""As polychrony's own recipe varies its samples."""
Found = dict[str, Any]


def polychrony(splits: Splits, seed: int) -> Found:
    """Neurons in space, by the recipe of sweeps/spoken_digits.yaml."""
    return _learned(replace(_template("spoken_digits"), embedding="space", replicates=1), splits, seed)


def eventprop(splits: Splits, seed: int) -> Found:
    """Freely learned delays by EventProp, with weights, rates and blends as mlGeNN's users publish them.

    Meszaros, Knight and Nowotny, "Efficient event-based delay learning in spiking neural networks" (2025),
    and sweeps/meszaros2025.yaml. It runs in our kernels: mlGeNN's are for GPUs.
    """
    recipe = replace(
        _template("meszaros2025"),
        embedding="free",
        hidden=256,
        batch_size=32,
        epochs=60,
        replicates=1,
        patience=None,
        keep="last",
        wiring_cost=0.0,
    )
    return _learned(recipe, splits, seed)


def _template(name: str) -> LearnerConfig:
    """The learner of a sweep file that comes with the package, whose data need not be there."""
    return load(FOLDER / f"{name}.yaml", ["data={name: yin_yang}"]).learner


def _learned(config: LearnerConfig, splits: Splits, seed: int) -> Found:
    trainer = Trainer(config, splits, [seed])
    while not trainer.finished:
        trainer.run_epoch()
    found = {name: float(values[0]) for name, values in trainer.test().items()}
    return found | {"epochs": trainer.epoch, "parameters": trainer.net.learned_parameters}


def dcls_delays(splits: Splits, seed: int, varied: bool = False) -> Found:
    """DCLS-Delays: two layers of 256, delays to each, without recurrence."""
    recipe = dcls.Recipe(epochs=60, batch_size=64)
    train, test = splits.train, splits.test
    assert test is not None
    plain = dcls.frames(train, DURATION)
    labels = torch.from_numpy(train.labels).long()

    def drawn(epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not varied:
            return plain, labels
        seeds = np.full(len(train), np.random.default_rng([seed, epoch]).integers(2**63))
        times, channels = augment(train, np.arange(len(train)), seeds, VARIED)
        return dcls.frames(replace(train, times=times, channels=channels), DURATION), labels

    def said(epoch: int, loss: float, net: dcls.DclsDelays) -> None:
        print(f"  epoch {epoch} of {recipe.epochs}, loss {loss:.3f}", flush=True)

    net = dcls.train(recipe, drawn, train.n_classes, seed, said)
    right = (dcls.answers(net, dcls.frames(test, DURATION)).numpy() == test.labels).astype(float)
    found: Found = {"test_accuracy": right.mean()}
    if test.groups is not None and train.groups is not None:
        seen = np.isin(test.groups, train.groups)
        found |= {"test_accuracy_seen": right[seen].mean(), "test_accuracy_unseen": right[~seen].mean()}
    learned = sum(one.numel() for one in net.parameters() if one.requires_grad)
    return found | {"epochs": recipe.epochs, "parameters": learned}


def varied_dcls_delays(splits: Splits, seed: int) -> Found:
    """The same, with samples varied as polychrony varies them."""
    return dcls_delays(splits, seed, varied=True)


PEERS: dict[str, Callable[[Splits, int], Found]] = {
    "polychrony": polychrony,
    "EventProp, free delays": eventprop,
    "DCLS-Delays": dcls_delays,
    "DCLS-Delays, varied samples": varied_dcls_delays,
}


def read(results: Path) -> list[Found]:
    """The networks that are there already."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def table(rows: Sequence[Found]) -> str:
    """Means over networks, with their standard errors where there are several, as a table."""
    lines = [
        "| | learned parameters | test | known speakers | the unknown one | CPU minutes | networks |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in PEERS:
        found = [row for row in rows if row["peer"] == name]
        if not found:
            continue
        cells = []
        for key in ("test_accuracy", "test_accuracy_seen", "test_accuracy_unseen"):
            values = np.array([100 * row[key] for row in found])
            error = f" ± {values.std(ddof=1) / len(values) ** 0.5:.1f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.1f}{error} %")
        minutes = np.mean([row["cpu_seconds"] for row in found]) / 60
        cells += [f"{minutes:.1f}", str(len(found))]
        lines.append(f"| {name} | {found[0]['parameters']:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train what is not there yet, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    splits = load_splits(DataConfig(path=asked.train, test=asked.test, validation=0.005))
    known = {(row["peer"], row["seed"]) for row in read(asked.results)}
    for seed in range(asked.seeds):
        for name in asked.peers:
            if (name, seed) in known:
                continue
            start = time.process_time()
            row = {"peer": name, "seed": seed, **PEERS[name](splits, seed)}
            row["cpu_seconds"] = round(time.process_time() - start, 1)
            with asked.results.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
    print(table(read(asked.results)))


if __name__ == "__main__":
    main()
