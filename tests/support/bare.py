"""Processes that may do no more than others: to root, folders are read-only, too."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hang import HANG_SECONDS

PROGRAM = [sys.executable, "-c", "from service.cli import main; main()"]
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("model", "search", "service")
_DROP, _PRIVILEGES = 24, (1, 2)  # PR_CAPBSET_DROP; CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_prctl = ctypes.CDLL(None).prctl


def give_up_privileges() -> None:
    """From the next program on, modes of files hold for this process, whoever runs it."""
    if os.geteuid() == 0:
        for privilege in _PRIVILEGES:
            if _prctl(_DROP, privilege, 0, 0, 0):
                raise OSError("root can't give up its privileges here")


def run_bare(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    prepare: Callable[[], object] = lambda: None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a program without privileges, and with these variables alone besides PATH.

    Args:
        command: the program.
        folder: where it runs.
        environment: its variables.
        prepare: called in the process before it becomes the program.
        options: of `subprocess.run`.
    """

    def become() -> None:
        prepare()
        give_up_privileges()

    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        command,
        cwd=folder,
        env=variables,
        preexec_fn=become,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
        **options,
    )


def read_only(folder: Path) -> Path:
    """Take from a folder, and from all in it, the right to be written."""
    for one in [*folder.rglob("*"), folder]:
        one.chmod(0o555 if one.is_dir() else 0o444)
    return folder
