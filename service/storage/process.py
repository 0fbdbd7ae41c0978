"""What tells a process from all others, also those of other machines, and whether it is still there."""

import json
import os
import platform
from pathlib import Path

SLURM_JOB = "POLYCHRONY_SLURM_JOB"
"""The variable by which our batch script for SLURM tells a driver the number of its job."""


def this_owner() -> bytes:
    """Who this process is, for others, and of which job of SLURM's, if it is of one."""
    job = os.environ.get(SLURM_JOB)
    owner = {"host": platform.node(), "process": process_of()}
    return json.dumps(owner | ({"slurm": job} if job else {})).encode()


def is_ours(process: list[str]) -> bool:
    """Whether a process is one of this machine that is still there."""
    return bool(process) and process_of(process[2]) == process


def process_of(pid: str = "self") -> list[str]:
    """What tells a process from all others: that of its machine and container, its number, when it began."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        numbers = str(Path("/proc/self/ns/pid").readlink())
        fields = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    state, *times = fields.rpartition(")")[2].split()
    return [] if state == "Z" else [boot, numbers, fields.split()[0], times[18]]


def gone(process: list[str]) -> bool:
    """Whether a process was one of ours, and has ended."""
    here = process_of()
    return len(process) == len(here) == 4 and process[:2] == here[:2] and process_of(process[2]) != process
