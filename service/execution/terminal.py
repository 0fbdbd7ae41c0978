"""Standard streams that are closed, or whose terminal is gone."""

import os
import stat
import sys
from pathlib import Path


def open_standard_streams() -> None:
    """Let streams that the process was started without (`>&-`) lead nowhere.

    Their numbers would be given to the next files that are opened, and what is printed be written there.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or Path(os.devnull).open()  # noqa: SIM115
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115


def let_go_of_terminal() -> None:
    """Nothing can be written any more to a terminal that has been hung up, and nothing should fail for it."""
    for number in (1, 2):
        if stat.S_ISCHR(os.fstat(number).st_mode) and not os.isatty(number):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
