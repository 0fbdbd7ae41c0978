"""`polychrony slurm`: a sweep as a batch job of SLURM, with a Ray of its own on the job's nodes."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from service.errors import Fault, SweepError, UserError
from service.storage.layout import RUNS
from service.storage.paths import StoragePath, parse_path

NOTICE_SECONDS = 120
"""So long before its time limit a job is told; the driver takes some 10 s to end, on a busy node longer."""
REQUEUES = 50
"""A job goes to the queue again so often at most."""

ENTRY = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
TIMES = r"\d+(:\d\d){0,2}|\d+-\d\d?(:\d\d){0,2}"
"""SLURM's: minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on."""
LEGAL = {
    "--time": (TIMES, "such as 90 (minutes), 12:00:00 or 2-00"),
    "--partition": (f"{ENTRY}(,{ENTRY})*", "the name of a partition, or several with commas"),
    "--gpus": (rf"({ENTRY}:)?\d+", "a number for each node, or TYPE:NUMBER"),
}

TRAP = """\
# Before all else: a signal that comes while things are made ready would end the job unheard.
# TERM is that of the time limit, of preemption and of `scontrol requeue`; INT that of `polychrony stop`.
signal=''
trap 'signal=TERM' TERM
trap 'signal=INT' INT
"""


@dataclass(frozen=True)
class Job:
    """What a job is asked for; where it is None the cluster decides."""

    name: str = "sweep"
    nodes: int = 2
    cpus: int = 4
    """Cores on each node."""
    time: str | None = "1-00:00:00"
    partition: str | None = None
    gpus: str | None = None
    """GPUs on each node."""


def script(job: Job, settings: str) -> str:
    """The text of a batch script: what is asked of SLURM, the settings, and what every job does.

    Raises UserError if a value is none that SLURM could take; nothing else gets into the lines it reads.
    """
    given = {"--time": job.time, "--partition": job.partition, "--gpus": job.gpus}
    faults = [
        Fault("slurm", option, f"got {value!r}, expected {LEGAL[option][1]}")
        for option, value in given.items()
        if value is not None and not re.fullmatch(LEGAL[option][0], value, re.ASCII)
    ]
    if not re.fullmatch(ENTRY, job.name, re.ASCII):
        faults.append(
            Fault("slurm", "name", f"`{job.name}` can't be the name of a job; begin it by a letter")
        )
    if faults:
        raise UserError(faults)
    asked = {
        "job-name": f"polychrony-{job.name}",
        "nodes": job.nodes,
        "ntasks-per-node": 1,
        "cpus-per-task": job.cpus,
        "time": job.time,
        "partition": job.partition,
        "gpus-per-node": job.gpus,
        "signal": f"B:TERM@{NOTICE_SECONDS}",
        "dependency": "singleton",
        "output": "%x-%j.log",
        "open-mode": "append",
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in asked.items() if value is not None]
    # No --no-kill: a job whose batch script was on the node that dies would stay on the others, idle.
    lines += ["#SBATCH --requeue"]
    body = files("service.commands").joinpath("slurm_job.sh").read_text(encoding="utf-8")
    return "\n".join(["#!/bin/bash", *lines, "", TRAP, settings]) + body


def settings(
    sweep: str, out: str, overrides: Sequence[str] = (), container: str | None = None, setup: str = ":"
) -> str:
    """The lines of a script that a person may want to change; every text that comes from outside is quoted.

    Args:
        sweep: the sweep file, in the shell's words.
        out: folder of all sweeps, in the shell's words.
        overrides: those of `--set`.
        container: an image that Apptainer can run, with the options before it, in the shell's words; None:
            what `setup` has made ready is run.
        setup: a command of the shell's that makes `polychrony` and `ray` ready to be run.
    """
    options = " ".join(f"--set {shlex.quote(one)}" for one in overrides)
    run = "" if container is None else f"apptainer exec {container}"
    return f"""\
# Settings. A sweep is its name and its folder, so the same job may be submitted again: it goes on.
sweep={sweep}
out={out} # on storage that all nodes share, or s3://...
options=({options})
requeues={REQUEUES} # after its time limit and after preemption, at most
scratch=/tmp # a folder of each node's own with a short name, never a shared one
log="polychrony-$SLURM_JOB_ID" # what Ray says on each node: polychrony-JOB.NODE, in this working folder
# How polychrony and ray come to be there: modules (`module load python/3.11`), an environment, or an image.
{setup}
run=({run}) # what they are run by, such as `apptainer exec --nv polychrony.sif`; nothing without an image
"""


def slurm(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file.")],
    out: Annotated[
        Any, typer.Option("--out", metavar="DIR", parser=parse_path, help="The folder of all sweeps, shared.")
    ] = RUNS,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Set a value of the sweep file; may be repeated."),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="How many nodes.")] = Job.nodes,
    cpus: Annotated[int, typer.Option(min=1, help="Cores on each node.")] = Job.cpus,
    time: Annotated[str | None, typer.Option(metavar="T", help="Time limit, as SLURM writes it.")] = None,
    partition: Annotated[str | None, typer.Option(metavar="P", help="Partition of the cluster.")] = None,
    gpus: Annotated[str | None, typer.Option(metavar="G", help="GPUs on each node.")] = None,
    container: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Image for Apptainer: a file, or docker://...")
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Only print the batch script.")] = False,
) -> None:
    """Write a batch script of SLURM's that runs a sweep on several nodes, and submit it."""
    from service.config.load import load

    spec = load(file, set_ or [], elsewhere=True)
    job = Job(spec.name, nodes, cpus, time, partition, gpus)
    text = script(job, _settings(file, out, set_ or [], container))
    if only_print:
        typer.echo(text, nl=False)
    else:
        typer.echo(_submitted(Path(f"{spec.name}.sbatch"), text))


def _settings(file: Path, out: StoragePath, overrides: Sequence[str], container: str | None) -> str:
    place = str(out.absolute())
    for name, value in (("FILE", str(file)), ("--out", place), ("--container", container or "")):
        if not value.isprintable():
            raise UserError([Fault("slurm", name, f"{value!r} has characters that can't be printed")])
    if container is not None and not container.startswith("docker://"):
        if not Path(container).is_file():
            cure = "is no file; build one (deploy/README.md), or name docker://REGISTRY/IMAGE"
            raise UserError([Fault("slurm", "--container", f"{container}: {cure}")])
        container = str(Path(container).absolute())
    setup = f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    if container is not None:
        seen = [str(file.absolute().parent), *([] if "://" in place else [place])]
        if wrong := [one for one in seen if set(one) & set(",:")]:
            cure = f"Apptainer can't show a container {wrong[0]}; choose a path without commas and colons"
            raise UserError([Fault("slurm", "--container", cure)])
        container = shlex.join([*(word for one in seen for word in ("--bind", one)), container])
        setup = ":" if "://" in place else f"mkdir -p {shlex.quote(place)}"
    return settings(
        shlex.quote(str(file.absolute())), shlex.quote(place), overrides, container=container, setup=setup
    )


def _submitted(path: Path, text: str) -> str:
    """Write a script and submit it; returns what there is to say."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        cure = f"is there already, with another text; submit it by `sbatch {path}`, or remove it first"
        raise UserError([Fault("slurm", str(path), cure)])
    if shutil.which("sbatch") is None:
        cure = "is not found: run this on a login node of the cluster, or take the script by --print"
        raise UserError([Fault("slurm", "sbatch", cure)])
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(["sbatch", "--parsable", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SweepError(f"sbatch has refused {path}: {done.stderr.strip() or done.stdout.strip()}")
    number = done.stdout.strip().partition(";")[0]
    name = path.stem
    return (
        f"{name} is SLURM job {number}, by the script {path}; its log is polychrony-{name}-{number}.log.\n"
        f"`polychrony status {name}` says how it stands, `polychrony stop {name}` stops it."
    )
