"""Signals that end a driver: once, twice, ignored, held, and from a terminal that is gone."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import time
from pathlib import Path
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
HELD = """
import os, signal, subprocess, sys
from service.execution.signals import install_signal_handlers, notices_blocked, signals_held
install_signal_handlers()
try:
    with signals_held():
        os.kill(os.getpid(), signal.SIGTERM)
        print("whole")
except KeyboardInterrupt:
    print("then interrupted")
with notices_blocked():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
for number in (signal.SIGHUP, signal.SIGUSR1):
    child.send_signal(number)
print(child.wait(), signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""
HUNG_UP = """
import os, signal, sys, time
from pathlib import Path
from service.execution.signals import install_signal_handlers
install_signal_handlers()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("nobody reads this", flush=True)
    Path(sys.argv[1]).write_text("tidy")
"""
NOTICES = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU]


def _started(*before: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen([*before, sys.executable, "-c", PROGRAM], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("pause", "code", "said"), [(0.0, 0, "tidy\n"), (1.1, 130, "")])
def test_twice_ends_at_once_but_the_same_signal_twice_does_not(
    number: signal.Signals, pause: float, code: int, said: str
) -> None:
    process = _started()
    process.send_signal(number)
    assert process.stdout is not None and process.stdout.readline() == "tidying\n"
    time.sleep(pause)
    process.send_signal(number)
    rest, fault = process.communicate(timeout=60)
    assert (process.returncode, rest) == (code, said)
    assert ("interrupted twice" in fault) == (code == 130)


@pytest.mark.parametrize("number", NOTICES)
def test_a_notice_ends_in_order_however_often_it_comes(number: signal.Signals) -> None:
    """SIGXCPU comes every second."""
    process = _started()
    process.send_signal(number)
    assert process.stdout is not None and process.stdout.readline() == "tidying\n"
    time.sleep(1.1)
    process.send_signal(number)
    assert process.communicate(timeout=60)[0] == "tidy\n" and process.returncode == 0


def test_what_is_ignored_stays_ignored() -> None:
    process = _started("nohup")
    process.send_signal(signal.SIGHUP)
    time.sleep(1.1)
    process.send_signal(signal.SIGTERM)  # else it would be the second one
    rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "tidying\ntidy\n")


def test_a_signal_may_be_held_and_notices_kept_from_children() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["whole", "then interrupted", "0 set()"], done.stderr


def test_a_terminal_that_is_gone_keeps_nobody_from_tidying(tmp_path: Path) -> None:
    """As when ssh is cut: the terminal can't be written to any more, then comes SIGHUP."""
    place = tmp_path / "said"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", HUNG_UP, str(place)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    assert os.read(ours, 100).startswith(b"ready")
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert place.read_text() == "tidy"


def test_closed_streams_are_no_file_that_is_opened_later() -> None:
    program = (
        "import os; from service.execution.terminal import open_standard_streams; open_standard_streams(); "
        "print('nowhere', flush=True); assert os.open(os.devnull, os.O_RDONLY) > 2"
    )
    command = f'exec {sys.executable} -c "{program}" >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], timeout=60, check=False).returncode == 0
