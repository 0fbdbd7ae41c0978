"""What MLflow costs: 300 trials of 50 epochs with their pictures, told as trials of 30 seconds tell them.

    python -m benchmarks.tracking [--trials 300] [--postgresql URI] [--out DIR]

The record is made up; from there on everything is the service's own. Pictures are drawn first, to tell the
cost of drawing from that of logging. The store is SQLite, and with --postgresql, such as
postgresql://postgres@127.0.0.1:5432, then also a database made there and dropped afterwards. With --out the
folder is kept, for `polychrony ui --out DIR`.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from model import Cohort
from model.network.best import Best
from model.network.checkpoint import pack
from search import Suggestion
from service.config.load import load
from service.config.metrics import METRICS
from service.config.sweep import SweepSpec, dump, learner_for
from service.control.controller import SweepController
from service.control.tasks import schemas_of
from service.record.plan import Plan, PlannedTrial
from service.record.record import Record
from service.record.rows import by_trial
from service.report.trial_pictures import stills
from service.storage.atomic import write_whole
from service.storage.layout import network_file, plan_file
from service.tracking import outbox
from service.tracking.listener import MlflowListener
from service.tracking.location import VARIABLE
from service.tracking.view import MlflowView

sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests" / "support")

from postgresql import new_database  # noqa: E402

SWEEP = """\
name: tracked
data: {name: digits}
learner: {hidden: 64, epochs: %d, replicates: 2, dt: 2.0, duration: 60.0}
space:
  learner.wiring_cost: {log: [1e-3, 1.0]}
  learner.dimensions: {choice: [1, 2, 3]}
search: {sampler: random, trials: %d, seed: 0}
objectives: [{metric: accuracy, goal: max}, {metric: wiring_length, goal: min}]
"""
TRIAL_SECONDS, REPLICATES, HIDDEN = 30.0, 2, 64

Rows = dict[str, list[dict[str, Any]]]


def rows_of(trial: int, cost: float, dimensions: int, epochs: int, rng: np.random.Generator) -> Rows:
    """What a trial leaves in the tables."""
    level = 0.7 + 0.25 * rng.random()
    last = dict.fromkeys(METRICS, 0.1) | {"wiring_length": 30 / (1 + 20 * cost), "seconds": TRIAL_SECONDS}
    curve = level * (1 - np.exp(-np.arange(1, epochs + 1) / 8))
    keys = [(r, e) for e in range(1, epochs + 1) for r in range(REPLICATES)]
    epoch_rows = [
        {"trial": trial, "replicate": r, "epoch": e}
        | {name: value * (1 + 0.02 * rng.normal()) for name, value in last.items()}
        | {"accuracy": curve[e - 1] + 0.01 * rng.normal()}
        for r, e in keys
    ]
    row = {"trial": trial, "state": "complete", "replicates": REPLICATES, "epochs": epochs}
    row |= {"wiring_cost": cost, "dimensions": dimensions, "seed": trial, "sweep": "tracked"}
    row |= last | {f"{name}_sem": 0.01 for name in last} | {"accuracy": float(curve[-1]), "parameters": 9000}
    centres, module = rng.normal(size=(5, dimensions)), rng.integers(5, size=HIDDEN)
    neurons = [
        {"trial": trial, "replicate": 0, "epoch": e, "neuron": n, "rate": float(rng.random() * 8)}
        | {"module": int(module[n]), "preferred_class": int(2 * module[n] + rng.integers(2))}
        | {"position": (centres[module[n]] + 0.3 * rng.normal(size=dimensions)).tolist()}
        for e in (0, epochs)
        for n in range(HIDDEN)
    ]
    return {"trials": [row], "epochs": epoch_rows, "neurons": neurons}


def write_sweep(folder: Path, trials: int, epochs: int) -> SweepSpec:
    """The folder of a finished sweep."""
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(SWEEP % (epochs, trials))
    spec, rng = load(folder / "sweep.yaml"), np.random.default_rng(0)
    (folder / "sweep.yaml").write_text(dump(spec))
    plan = Plan(plan_file(folder))
    with Record.open(folder, schemas_of(spec)) as record:
        for trial in range(trials):
            cost, dimensions = float(10 ** rng.uniform(-3, 0)), int(rng.integers(1, 4))
            values: dict[str, Any] = {"learner.wiring_cost": cost, "learner.dimensions": dimensions}
            plan.add(PlannedTrial(Suggestion(trial, values)))
            rows = rows_of(trial, cost, dimensions, epochs, rng)
            record.append_all(rows)
            write_whole(network_file(folder, trial), networks(spec, values, rows, trial))
    plan.close()
    return spec


def networks(spec: SweepSpec, values: dict[str, Any], rows: Rows, trial: int) -> bytes:
    """Networks whose positions are those in the rows, with weights that fall with distance."""
    net = Cohort(learner_for(spec, values), 64, 10, seeds=[trial, trial + 1])
    at = np.array([one["position"] for one in rows["neurons"][-HIDDEN:]], np.float32)
    net.positions.data[0] = net.positions.data.new_tensor(at)
    net.w_rec.data *= (-net.distances().detach()).exp()
    return pack(net, None, spec.learner.epochs, Best())


def draw(controller: SweepController) -> float:
    """Processor time of the still pictures of all trials (s)."""
    name, trials = controller.spec.name, controller.record.finished_trials()
    rows = by_trial(controller.record.rows("neurons"), trials)
    start = time.process_time()
    for trial in trials:
        stills(controller.folder, name, trial, rows[trial])()
    return time.process_time() - start


def thread_seconds(view: MlflowView) -> float:
    """Processor time of the thread that logs (s)."""
    thread = view._outbox._thread
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident)) if thread.is_alive() else 0.0


def log(controller: SweepController, runs: Path) -> dict[str, float]:
    """Have everything logged; seconds of each part."""
    spec, folder = controller.spec, runs / controller.spec.name
    # A batch for each trial every so often, as while trials run.
    in_batch = 2 * len(METRICS) * spec.learner.epochs * outbox.FLUSH_SECONDS / TRIAL_SECONDS
    outbox.FLUSH_POINTS = round(in_batch)
    view = MlflowView.open(runs, spec, folder)
    listener = MlflowListener(view, spec, controller.record, folder)
    view.finished_trials(600)
    start, cpu = time.perf_counter(), thread_seconds(view)
    controller.retell(controller.record.finished_trials(), listener)
    view.finished_trials(3600)
    found = {"wall": time.perf_counter() - start, "cpu": thread_seconds(view) - cpu}
    start = time.perf_counter()
    listener.show_results(lambda _: None)
    view.close("complete", patience=600)
    assert view.lost == 0
    return found | {"results": time.perf_counter() - start}


def measure(runs: Path, trials: int, epochs: int, server: str | None) -> None:
    """Make a sweep up, log it, and print what that took."""
    spec = write_sweep(runs / "tracked", trials, epochs)
    controller = SweepController(spec, runs / "tracked")
    print(f"{trials} trials x {epochs} epochs x {2 * len(METRICS)} values")
    drawing = draw(controller)
    show("pictures", "CPU", drawing, trials)
    os.environ.pop(VARIABLE, None)
    tell("SQLite", log(controller, runs), trials, drawing)
    if server is not None:
        with new_database(server) as store:
            os.environ[VARIABLE] = store
            tell("PostgreSQL", log(controller, runs), trials, drawing)
    controller.close()


def tell(store: str, found: dict[str, float], trials: int, drawing: float) -> None:
    """Print what a store has cost."""
    print(f"{store} (load of the machine {os.getloadavg()[0]:.1f})")
    show("logging", "CPU", found["cpu"], trials)
    show("logging", "wall", found["wall"], trials)
    show("with pictures", "CPU", drawing + found["cpu"], trials)
    print(f"  at the end: pages of leaders and the sweep's run {found['results']:.1f} s")


def show(what: str, kind: str, seconds: float, trials: int) -> None:
    """Print a time, and its share of the trials'."""
    share = seconds / trials / TRIAL_SECONDS
    print(f"  {what:14}{kind:6}{seconds:8.1f} s{seconds / trials * 1e3:8.0f} ms a trial{share:9.2%} of 30 s")


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--postgresql", metavar="URI", help="a server that lets databases be made")
    parser.add_argument("--out", type=Path, help="keep the folder here")
    asked = parser.parse_args()
    with nullcontext(str(asked.out)) if asked.out else tempfile.TemporaryDirectory() as runs:
        measure(Path(runs), asked.trials, asked.epochs, asked.postgresql)


if __name__ == "__main__":
    main()
