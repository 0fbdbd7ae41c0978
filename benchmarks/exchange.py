"""How other simulators reproduce the spikes of exported networks, a random one and a trained one.

python -m benchmarks.exchange --train train.h5 --test test.h5 --peers .venv-peers/bin/python
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from model import Cohort, LearnerConfig
from model.datasets import DataConfig, Splits, load_splits
from model.export import Bundle, bundle_of, export
from model.network.initialization import scale_inputs
from model.training.trainer import Trainer

RUNS = (
    ("brian2", 0.04),
    ("brian2", 0.02),
    ("brian2", 0.01),
    ("brian2", 0.005),
    ("brian2", 0.0025),
    ("nest", 0.01),
)
CONFIG = LearnerConfig(hidden=64, epochs=5, dt=2.0, duration=1000.0)


def bundles(splits: Splits, samples: int) -> dict[str, Bundle]:
    """A random network with strong recurrent weights, and one trained for some epochs, each with samples."""
    data = splits.held_out[1]
    random = Cohort(
        LearnerConfig(hidden=64, dt=2.0, duration=1000.0, recurrent_gain=1.0), data.n_channels, 10, [0]
    )
    scale_inputs(random, splits.train)
    trainer = Trainer(CONFIG, splits, [0])
    while not trainer.finished:
        trainer.run_epoch()
    return {
        name: bundle_of(net, 0, data, samples) for name, net in (("random", random), ("trained", trainer.net))
    }


def compared(folder: Path, peers: Path, simulator: str, dt: float) -> dict[str, Any]:
    """What the script in `folder` finds."""
    command = [str(peers), "simulate.py", "--simulator", simulator, "--dt", str(dt)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    found: dict[str, Any] = json.loads((folder / "compared.json").read_text())
    return found


def main() -> None:
    """Print the table of docs/learner.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--peers", type=Path, required=True, help="the Python that has Brian 2 and NEST")
    parser.add_argument("--samples", type=int, default=20)
    given = parser.parse_args()
    splits = load_splits(DataConfig(path=given.train, test=given.test))
    print(
        print(
            "| network | simulator, step (ms) | spikes | missing | more | median, largest difference (ms) |"
        )
    )
    print("|---|---|---|---|---|---|")
    for name, bundle in bundles(splits, given.samples).items():
        with tempfile.TemporaryDirectory() as place:
            export(bundle, "brian2", Path(place) / "out")
            for simulator, dt in RUNS:
                found = compared(Path(place) / "out", given.peers.absolute(), simulator, dt)
                one = found[f"against steps of {bundle.fine_step:g} ms"]
                cells = [name, f"{simulator}, {dt:g}", one["spikes"], one["missing"], one["extra"]]
                cells.append(f"{one['median']:.4f}, {one['largest']:.3f}")
                print("|", " | ".join(map(str, cells)), "|", flush=True)
            own = found[f"against steps of {bundle.network.config.dt:g} ms"]
            print(
                f"{name}: right here in steps of {bundle.network.config.dt:g} ms {own['accuracy']:.3f}, "
                f"of {bundle.fine_step:g} ms {one['accuracy']:.3f}, there {found['accuracy']:.3f}; "
                f"same answers {own['same answers']:.3f}, {one['same answers']:.3f}"
            )


if __name__ == "__main__":
    main()
