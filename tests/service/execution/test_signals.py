"""Ctrl-C once, and twice."""

import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import time
from service.execution.signals import install_signal_handlers
install_signal_handlers()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("tidying", flush=True)
    time.sleep(1.5)
    print("tidy", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("pause", "code", "said"), [(0.0, 0, "tidy\n"), (1.1, 130, "")])
def test_twice_ends_at_once_but_the_same_signal_twice_does_not(
    number: signal.Signals, pause: float, code: int, said: str
) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == "tidying\n"
    time.sleep(pause)
    process.send_signal(number)
    rest, fault = process.communicate(timeout=60)
    assert (process.returncode, rest) == (code, said)
    assert ("interrupted twice" in fault) == (code == 130)
