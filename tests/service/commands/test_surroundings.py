"""What is put right at the start of every command."""

import os
import subprocess
import sys
from functools import partial

import pytest
import requests

from service.commands.surroundings import put_right

VARIABLES = ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY")


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever is done to it
        monkeypatch.delenv(name)


def proxied(url: str) -> bool:
    """Whether requests, and with it MLflow and Ray's client for jobs, asks a proxy."""
    return bool(requests.Session().merge_environment_settings(url, {}, None, None, None)["proxies"])


@pytest.mark.parametrize("excepted", [None, "", "example.org", "example.org, 10.0.0.0/8", "localhost", "*"])
def test_loopback_is_never_proxied(excepted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    if excepted is not None:
        monkeypatch.setenv("NO_PROXY", excepted)
    put_right()
    put_right()
    for host in ("127.0.0.1:8265", "127.0.1.1:5000", "localhost:5000", "[::1]:8265"):
        assert not proxied(f"http://{host}/api/version"), host
    assert proxied("http://head:8265") == (excepted != "*")
    assert proxied("http://mlflow.example.org") == (excepted in (None, "", "localhost"))


@pytest.mark.parametrize("closed", [[0], [1], [0, 1, 2]])
def test_closed_streams_are_opened_also_for_processes_that_are_started(closed: list[int]) -> None:
    code = (
        "import os, subprocess, sys\n"
        "from service.commands.surroundings import put_right\n"
        "put_right()\n"
        "assert not sys.stdin.isatty() and sys.stdin.read() == ''\n"
        "print('said', flush=True); print('said', file=sys.stderr)\n"
        "[os.fstat(number) for number in (0, 1, 2)]\n"
        "look = 'import os; [os.fstat(number) for number in (0, 1, 2)]'\n"
        "sys.exit(subprocess.run([sys.executable, '-c', look]).returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=partial(list, map(os.close, closed)),
        check=False,
    )
    assert done.returncode == 0, done.stderr
