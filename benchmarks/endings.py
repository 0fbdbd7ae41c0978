"""How many small sweeps end as they should on a machine that has too much to do.

    python -m benchmarks.endings [--sweeps 20] [--trials 1] [--busy 1.0] [--limit 300]

One sweep after the other, each in a new folder with a new MLflow database, while other processes do nothing
but keep all cores busy: so the threads of a driver meet at its end as they seldom do otherwise. Each has to
end with exit code 0, with all its trials in its record and in MLflow, nothing there that still runs, and no
process, folder of Ray's or half-written file left behind. Prints a line for each, or what is wrong with it
and what it said; at the end a summary. The exit code is 1 if one ended badly.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests" / "support")

from audit import audit  # noqa: E402
from ray_cluster import kill_session, processes  # noqa: E402

PROGRAM = [sys.executable, "-P", "-c", "from service.cli import main; main()"]
GONE = 20.0
"""Seconds that processes of Ray's may take to notice that their driver has ended."""
SWEEP = """\
name: small
data: {{name: digits}}
learner: {{hidden: 4, epochs: 1, duration: 20.0, dt: 2.0, batch_size: 256}}
space: {{learner.wiring_cost: {{log: [1e-4, 1e-1]}}}}
search: {{sampler: random, trials: {trials}, seed: {seed}}}
"""


def keep_busy() -> None:
    """Use a core."""
    while True:
        pass


def end_of_sweep(trials: int, seed: int, limit: float) -> list[str]:
    """Run a sweep; returns what is wrong with it afterwards, and what it has said."""
    folder = Path(tempfile.mkdtemp(prefix="end"))
    try:
        (folder / "small.yaml").write_text(SWEEP.format(trials=trials, seed=seed))
        (folder / "tmp").mkdir()
        with (folder / "said").open("wb") as said:
            driver = subprocess.Popen(
                [*PROGRAM, "run", "small.yaml"],
                cwd=folder,
                stdout=said,
                stderr=said,
                env=os.environ | {"TMPDIR": str(folder / "tmp"), "MLFLOW_TRACKING_URI": ""},
                start_new_session=True,
            )
        try:
            code: int | str = driver.wait(limit)
        except subprocess.TimeoutExpired:
            code = f"none within {limit:g} s"
        faults = [] if code == 0 else [f"exit code {code}"]
        faults += _left(driver, folder / "tmp")
        kill_session(driver)
        try:
            faults += audit(folder / "runs/small", trials, 1, 1, f"sqlite:///{folder}/runs/mlflow.db")
        except Exception as error:  # whatever is missing
            faults.append(f"{type(error).__name__}: {error}")
        return [*faults, (folder / "said").read_text(errors="replace")] if faults else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _left(driver: "subprocess.Popen[bytes]", temporary: Path) -> list[str]:
    """Processes and folders that the sweep has left behind."""
    until = time.monotonic() + GONE
    while (left := processes({driver.pid})) and time.monotonic() < until:
        time.sleep(0.2)
    faults = [f"process {pid} is left: {command[:80]}" for pid, command in left]
    return faults + [f"{path.name} is left" for path in temporary.glob("ply*")]


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sweeps", type=int, default=20)
    parser.add_argument("--trials", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others count on")
    parser.add_argument("--busy", type=float, default=1.0, help="busy processes for each core")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that a sweep may take")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the busy processes end with this one
    cores = len(os.sched_getaffinity(0))
    busy = [multiprocessing.Process(target=keep_busy, daemon=True) for _ in range(round(asked.busy * cores))]
    for one in busy:
        one.start()
    bad, began = 0, time.monotonic()
    try:
        for number in range(asked.sweeps):
            start = time.monotonic()
            faults = end_of_sweep(asked.trials, asked.seed + number, asked.limit)
            bad += bool(faults)
            said = "\n    ".join("\n".join(faults or ["well"]).splitlines())
            print(f"sweep {number}, {time.monotonic() - start:.0f} s: {said}", flush=True)
    finally:
        for one in busy:
            one.terminate()
    seconds = time.monotonic() - began
    print(
        f"{asked.sweeps - bad} of {asked.sweeps} sweeps ended as they should; "
        f"{seconds / asked.sweeps:.1f} s each, {len(busy)} busy processes on {cores} cores"
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
