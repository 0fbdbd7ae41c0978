"""A sweep of this machine is stopped."""

import subprocess
import sys
from pathlib import Path

from hang import HANG_SECONDS
from job_cluster import one_line
from rich.console import Console

from service.commands.driver_process import driver_of
from service.commands.stop import stop_here
from service.storage.lock import is_running


def test_a_driver_of_this_machine_is_stopped(tmp_path: Path, console: Console) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "sweep.yaml").write_text("name: small\ndata: {name: digits}\nsearch: {trials: 3}\n")
    code = (
        "import signal, sys, time; from pathlib import Path; from service.storage.lock import sweep_lock\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "with sweep_lock(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n    time.sleep(float(sys.argv[2]))"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(HANG_SECONDS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert driver.stdout is not None and driver.stdout.readline() == "held\n"
        known = driver_of(folder)
        assert known is not None and known.here and known.pid == driver.pid
        stop_here("small", folder, console)
    finally:
        driver.kill()
        driver.communicate()
    gone = driver_of(folder)
    assert not is_running(folder) and gone is not None and not gone.here
    assert "small is stopped; none of 3 trials are kept" in one_line(console)
    stop_here("small", folder, console)
    assert "small does not run" in one_line(console)
