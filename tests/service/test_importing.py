"""Imports, and the end of a process, without the garbage collector."""

import gc
import subprocess
import sys

import pytest

from service.importing import importing

CYCLE = """\
import gc, sys
from service.importing import leave_at_once
for _ in range(2):
    leave_at_once()
class Told:
    def __del__(self): print("collected")
one = Told()
one.itself = one
"""


def test_the_collector_rests_and_goes_on_even_after_a_failure() -> None:
    assert gc.isenabled()
    with importing():
        assert not gc.isenabled()
        with importing():
            pass
        assert not gc.isenabled()  # whoever turned it off before turns it on
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()


def test_at_the_end_nothing_is_collected() -> None:
    def said(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "collected" in said(CYCLE.replace("    leave_at_once()", "    pass"))
    assert "collected" not in said(CYCLE)
