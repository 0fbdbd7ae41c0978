"""Runs a sweep by `polychrony slurm` on two nodes, and does to it what clusters of SLURM's do.

    python -m benchmarks.slurm [--cases undisturbed,requeue,limit,preempted,node,head,stop] [--keep DIR]

The nodes are namespaces of this machine (tests/support/slurm_hosts.py, which says what must be installed; it
needs root). Each case is a sweep of its own: undisturbed; `scontrol requeue`; its time limit; a job of a
partition with priority; a node that dies; the node of the batch script that dies; `polychrony stop`, and the
script submitted again. At the end each trial must stand once in plan, tables, study and MLflow, complete, and
the job must have been started as often as it should. Prints a line a case; exit code 1 if anything is wrong.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests" / "support")

from audit import audit  # noqa: E402
from hang import await_that  # noqa: E402
from slurm_hosts import Slurm, missing, polychrony  # noqa: E402

TRIALS, EPOCHS, REPLICATES = 6, 40, 1
SWEEP = """\
name: NAME
data: {name: digits}
learner: {hidden: 16, epochs: EPOCHS, duration: 20.0, dt: 2.0, batch_size: 128, replicates: REPLICATES}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}}
search: {sampler: random, trials: TRIALS, seed: 7}
objectives: [{metric: accuracy, goal: max}]
resources: {checkpoint: 0.5}
"""


def sweep_text(name: str) -> str:
    """The sweep file."""
    given = {"NAME": name, "TRIALS": TRIALS, "EPOCHS": EPOCHS, "REPLICATES": REPLICATES}
    return re.sub("|".join(given), lambda found: str(given[found.group()]), SWEEP)


OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "GONE")


class Case:
    """One sweep, as a job."""

    def __init__(self, slurm: Slurm, name: str, options: tuple[str, ...] = ()) -> None:
        self.slurm, self.name = slurm, name
        self.folder = slurm.folder / name
        self.folder.mkdir()
        (self.folder / "sweep.yaml").write_text(sweep_text(name))
        said = self.run("slurm", "sweep.yaml", "--cpus", "1", "--print")
        (self.folder / "job.sh").write_text(
            re.sub(r"^PATH=.*$", f"PATH={slurm.folder / 'bin'}:$PATH", said, flags=re.MULTILINE)
        )
        self.submit(options)

    def submit(self, options: tuple[str, ...] = ()) -> None:
        """Send the job to SLURM."""
        said = self.slurm.ask("sbatch", "--parsable", *options, "job.sh", cwd=self.folder, check=True)
        self.job = said.strip()

    def run(self, *arguments: str) -> str:
        """What `polychrony` says on the controller's host."""
        program = str(self.slurm.folder / "bin" / "polychrony")
        return self.slurm.ask(program, *arguments, cwd=self.folder, check=True)

    def finished(self) -> int:
        """Trials that the sweep has finished so far."""
        from service import Sweep
        from service.errors import PolychronyError

        try:
            return len(Sweep(self.sweep).arrow("trials", columns=["trial"]))
        except PolychronyError:  # the job has not begun it yet
            return 0

    @property
    def sweep(self) -> Path:
        """Its folder."""
        return self.folder / "runs" / self.name

    @property
    def said(self) -> str:
        """The log of the job."""
        return "".join(one.read_text() for one in sorted(self.folder.glob("*.log")))

    def await_trials(self, number: int) -> None:
        """Wait until so many are finished."""
        await_that(lambda: self.finished() >= number or self.over, f"trial {number}")

    @property
    def over(self) -> bool:
        """Whether the job has ended for good."""
        return self.slurm.state(self.job)[0] in OVER

    def end(self, restarts: int, state: str = "COMPLETED") -> list[str]:
        """Wait for the end; returns what is wrong."""
        await_that(lambda: self.over, f"the end of job {self.job}")
        found = self.slurm.state(self.job)
        store = f"sqlite:///{self.folder}/runs/mlflow.db"
        faults = [] if found == (state, restarts) else [f"job {self.job} is {found}, not {(state, restarts)}"]
        faults += ["the driver has said `Traceback`"] if "Traceback" in self.said else []
        return faults + audit(self.sweep, TRIALS, EPOCHS, REPLICATES, store)


def undisturbed(slurm: Slurm) -> list[str]:
    """Nothing happens."""
    return Case(slurm, "undisturbed").end(0)


def requeue(slurm: Slurm) -> list[str]:
    """An administrator puts the job into the queue again."""
    case = Case(slurm, "requeue")
    case.await_trials(2)
    slurm.ask("scontrol", "requeue", case.job)
    slurm.hasten(case.job)
    return case.end(1)


def limit(slurm: Slurm) -> list[str]:
    """The time limit comes nearer; the job is told, and puts itself into the queue again."""
    case = Case(slurm, "limit", ("--time=2", "--signal=B:TERM@60"))
    for state in ("RUNNING", "PENDING"):  # it also waits before its first start
        await_that(lambda state=state: slurm.state(case.job)[0] in (state, *OVER), "the time limit")  # type: ignore[misc]
    slurm.ask("scontrol", "update", f"JobId={case.job}", "TimeLimit=60")
    slurm.hasten(case.job)
    return case.end(1)


def preempted(slurm: Slurm) -> list[str]:
    """A job with priority takes both nodes, and gives them back."""
    case = Case(slurm, "preempted")
    case.await_trials(2)
    high = slurm.ask(
        "sbatch", "--parsable", "--partition=high", "--nodes=2", "--exclusive", "--time=2", "--wrap=sleep 5",
        cwd=case.folder,
    ).strip()  # fmt: skip
    await_that(lambda: slurm.state(high)[0] in OVER, "the job with priority")
    slurm.hasten(case.job)
    return case.end(1)


def node(slurm: Slurm) -> list[str]:
    """A node dies; SLURM puts the job into the queue again."""
    return _dies(slurm, "node", "n2")


def head(slurm: Slurm) -> list[str]:
    """The node with the batch script dies; it is the same for SLURM."""
    return _dies(slurm, "head", "n1")


def _dies(slurm: Slurm, name: str, host: str) -> list[str]:
    case = Case(slurm, name)
    case.await_trials(2)
    slurm.kill(host)
    await_that(lambda: slurm.state(case.job)[0] in ("PENDING", *OVER), "SLURM to notice")
    slurm.start(host)
    slurm.hasten(case.job)
    return case.end(1)


def stop(slurm: Slurm) -> list[str]:
    """A person stops it from another host, and submits it again."""
    case = Case(slurm, "stop")
    case.await_trials(2)
    faults = (
        [] if f"{case.job} of SLURM" in case.run("status", "stop") else ["`status` does not name the job"]
    )
    case.run("stop", "stop")
    await_that(lambda: case.over, "the end after `stop`")
    if slurm.state(case.job) != ("FAILED", 0):
        faults.append(f"after `stop` the job is {slurm.state(case.job)}")
    case.submit()
    return faults + case.end(0)


CASES: dict[str, Callable[[Slurm], list[str]]] = {
    one.__name__: one for one in (undisturbed, requeue, limit, preempted, node, head, stop)
}


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", default=",".join(CASES), help="with commas between them")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="a new folder for all files, to be kept")
    asked = parser.parse_args()
    if reason := missing():
        sys.exit(f"no SLURM can be tried here: {reason}")
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(ROOT)  # for workers of Ray's
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.keep or Path(temporary) / "s").resolve()
        folder.mkdir(parents=True)
        polychrony(folder, ROOT)
        with Slurm(folder) as slurm:
            for name in asked.cases.split(","):
                began = time.monotonic()
                wrong = CASES[name](slurm)
                took = time.monotonic() - began
                print(f"{name:12}{took:6.0f} s  {'; '.join(wrong) or 'audit: nothing'}", flush=True)
                faults += wrong
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
