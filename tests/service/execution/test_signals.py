"""Signals that end a driver: once, twice, ignored, held, and from a terminal that is gone."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hang import HANG_SECONDS

PROGRAM = """
import sys, time
from service.execution import signals
signals.PAUSE = float(sys.argv[1])
signals.install_signal_handlers()
try:
    print("ready", flush=True)
    time.sleep(1e6)
except KeyboardInterrupt:
    print("tidying", flush=True)
    sys.stdin.readline()
    print("tidy", flush=True)
"""
"""What it does takes as long as the test likes: it reads a line meanwhile."""
LONG = 1e6
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
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1)
for number in (signal.SIGHUP, signal.SIGUSR1):
    child.send_signal(number)
child.stdin.write(b"go on\\n")
child.stdin.close()
print(child.wait(), signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""
HUNG_UP = """
import os, signal, sys, time
from pathlib import Path
from service.execution.signals import install_signal_handlers
install_signal_handlers()
try:
    print("ready", flush=True)
    time.sleep(1e6)
except KeyboardInterrupt:
    print("nobody reads this", flush=True)
    Path(sys.argv[1]).write_text("tidy")
"""
NOTICES = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU]


def _started(*before: str, pause: float = 0.0) -> "subprocess.Popen[str]":
    """A driver for which signals that follow within `pause` seconds are the same one."""
    command = [*before, sys.executable, "-c", PROGRAM, str(pause)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def _after_two(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str, str]:
    """Exit code, output and errors of a driver that is sent a signal, and again while it tidies up."""
    process.send_signal(number)
    assert process.stdout is not None and process.stdout.readline() == "tidying\n"
    process.send_signal(number)
    rest, fault = process.communicate("go on\n", timeout=HANG_SECONDS)
    return process.returncode, rest, fault


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_twice_ends_at_once(number: signal.Signals) -> None:
    code, rest, fault = _after_two(_started(), number)
    assert (code, rest) == (130, "") and "interrupted twice" in fault


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_same_signal_sent_twice_does_not(number: signal.Signals) -> None:
    assert _after_two(_started(pause=LONG), number) == (0, "tidy\n", "")


@pytest.mark.parametrize("number", NOTICES)
def test_a_notice_ends_in_order_however_often_it_comes(number: signal.Signals) -> None:
    """SIGXCPU comes every second."""
    assert _after_two(_started(), number) == (0, "tidy\n", "")


def test_what_is_ignored_stays_ignored() -> None:
    process = _started("nohup")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)  # else it would be the second one
    rest, _ = process.communicate("go on\n", timeout=HANG_SECONDS)
    assert (process.returncode, rest) == (0, "tidying\ntidy\n")


def test_a_signal_may_be_held_and_notices_kept_from_children() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=HANG_SECONDS, check=False
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
    assert process.wait(HANG_SECONDS) == 0
    assert place.read_text() == "tidy"


def test_closed_streams_are_no_file_that_is_opened_later() -> None:
    program = (
        "import os; from service.execution.terminal import open_standard_streams; open_standard_streams(); "
        "print('nowhere', flush=True); assert os.open(os.devnull, os.O_RDONLY) > 2"
    )
    command = f'exec {sys.executable} -c "{program}" >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], timeout=HANG_SECONDS, check=False).returncode == 0
