"""The dashboard of a cluster: jobs found, watched and stopped, and what goes wrong there, in words."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hang import HANG_SECONDS
from job_cluster import OUT, URL, Cluster, of_sweep, one_line
from rich.console import Console

from service.commands.status import print_job_status, print_jobs
from service.commands.stop import stop_job
from service.errors import SweepError, UserError
from service.jobs.dashboard import Dashboard
from service.jobs.job import latest
from service.jobs.token import token_headers


def test_jobs_are_found_by_sweep_and_folder(cluster: Cluster, dashboard: Dashboard) -> None:
    with pytest.raises(UserError, match="no job has run small there; there is none at all"):
        dashboard.find("small", None)
    cluster.add("polychrony-small-0-1", "FAILED", of_sweep())
    cluster.add("somebody-else", "RUNNING", {})
    cluster.add("polychrony-small-0-2", "RUNNING", of_sweep())
    assert dashboard.find("small", None).id == "polychrony-small-0-2"
    with pytest.raises(UserError, match="no job has run large there; sweeps there: small"):
        dashboard.find("large", None)
    cluster.add("polychrony-small-1-1", "RUNNING", of_sweep("/other"))
    with pytest.raises(UserError, match=r"one in each of .*; say which by --out"):
        dashboard.find("small", None)
    assert dashboard.find("small", "/other").id == "polychrony-small-1-1"
    vars(cluster.details[-1]).update(status="FAILED", driver_exit_code=2)  # there was no such folder
    assert dashboard.find("small", None).id == "polychrony-small-0-2"
    assert len(latest(dashboard.jobs())) == 2


def test_a_job_that_runs_is_its_sweeps_last(cluster: Cluster, dashboard: Dashboard) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.add("polychrony-small-0-2", "FAILED", of_sweep())
    assert dashboard.find("small", None).id == "polychrony-small-0-1"


def test_the_status_of_a_sweep_whose_folder_is_not_here(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    print_job_status(dashboard, dashboard.find("small", None), console)
    said = one_line(console)
    assert f"its folder {OUT}/small can't be seen from here" in said
    assert "last words: [1/3] trial 0 complete" in said
    assert "2 of 3 nodes alive, 12 cores" in said and "10.0.0.3 lost" in said


def test_the_jobs_of_a_cluster_are_listed(cluster: Cluster, dashboard: Dashboard, console: Console) -> None:
    print_jobs(dashboard, console)
    assert "no sweep has been submitted" in one_line(console)
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    print_jobs(dashboard, console)
    assert f"small RUNNING since 1 min can't be seen from here {OUT}/small" in one_line(console)


def test_a_job_is_stopped(cluster: Cluster, dashboard: Dashboard, console: Console) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    stop_job(dashboard, dashboard.find("small", None), console)
    assert "small is stopped; what is finished is kept" in one_line(console)
    stop_job(dashboard, dashboard.find("small", None), console)
    assert "small does not run: job polychrony-small-0-1 is STOPPED" in one_line(console)


class Answering(BaseHTTPRequestHandler):
    """Answers as the class of the server says."""

    status: int = 200
    text: str = ""
    seen: str = ""
    over: Event

    def do_GET(self) -> None:
        type(self).seen = self.headers.get("Authorization", "")
        if self.status == 0:  # says nothing, until the test is over
            self.over.wait(HANG_SECONDS)
            return
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "text", "kind", "said"),
    [
        (
            401,
            "Unauthorized: Missing authentication token",
            UserError,
            "wants a token; put the cluster's token",
        ),
        (403, "Forbidden: Invalid authentication token", UserError, "does not know our token"),
        (404, "what?", SweepError, "could not do it"),
        (500, "Traceback\nsecond line", SweepError, "could not do it: 500 Server Error"),
        (200, "<html>", SweepError, "could not do it"),
        (0, "", SweepError, "did not answer in time"),
    ],
)
def test_what_is_no_willing_cluster_is_told_in_words(
    status: int, text: str, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    monkeypatch.setenv("RAY_ADDRESS", "10.255.255.1:1")  # Ray's client would go there
    monkeypatch.setattr("service.jobs.dashboard.PATIENCE", HANG_SECONDS if status else 0.5)

    class Handler(Answering):
        pass

    Handler.status, Handler.text, Handler.over = status, text, Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(kind, match=said) as caught:
            Dashboard.connect(f"http://127.0.0.1:{server.server_port}/")
    finally:
        Handler.over.set()
        server.shutdown()
        server.server_close()
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
    assert Handler.seen == "Bearer secret"


def test_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    # A Ray that this process has had before wants one, and so does Ray's client from then on.
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    with pytest.raises(SweepError, match="no Ray dashboard answers there"):
        Dashboard.connect(URL)


@pytest.mark.parametrize(
    "address", ["auto", "nowhere", "ray://head:10001", "http://head:port", "http://", ""]
)
def test_what_is_no_address_of_a_dashboard(address: str) -> None:
    with pytest.raises(UserError, match="is no URL of a cluster's dashboard; give one such as"):
        Dashboard.connect(address)


def test_the_token_is_looked_for_where_ray_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert token_headers() == {}
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray/auth_token").write_text("of the home\n")
    assert token_headers() == {"Authorization": "Bearer of the home"}
    (tmp_path / "named").write_text("named")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    assert token_headers() == {"Authorization": "Bearer named"}
    monkeypatch.setenv("RAY_AUTH_TOKEN", "given")
    assert token_headers() == {"Authorization": "Bearer given"}
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert token_headers() == {}
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"RAY_AUTH_TOKEN_PATH: .*missing: can't be read"):
        token_headers()
