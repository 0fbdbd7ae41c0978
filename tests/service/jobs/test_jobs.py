"""Sweeps as jobs: what is decided, against a cluster that is played by a double of Ray's client."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from service.commands.dispatch import logs
from service.commands.driver_process import driver_of
from service.commands.status import print_job_status, print_jobs
from service.commands.stop import stop_here, stop_job
from service.config.load import load
from service.errors import SweepError, UserError
from service.jobs.dashboard import Dashboard
from service.jobs.follow import follow
from service.jobs.job import latest
from service.jobs.package import INSTALLED, SHIP, START_FILE, packed
from service.jobs.submit import resume, start, submit
from service.jobs.token import token_headers
from service.storage.lock import is_running
from service.version import code_version

URL = "http://127.0.0.1:1"
OUT = "/shared/runs"


class Cluster:
    """A double of Ray's client, with the cluster behind it."""

    def __init__(self) -> None:
        self.details: list[Any] = []
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}
        self.pieces: list[str | Exception] = ["small: 3 trials.\n", "[1/3] trial 0 complete\n"]
        self.end: tuple[str, int | None, str] = ("SUCCEEDED", 0, "")
        self.taken: set[str] = set()

    def submit_job(self, *, entrypoint: str, **options: Any) -> str:
        name: str = options["submission_id"]
        if name in self.taken:
            raise RuntimeError(f"Request failed with status code 500: Job {name} already exists.")
        self.sent.append({"entrypoint": entrypoint, **options})
        folder = Path(options["runtime_env"]["working_dir"])
        self.files = {path.name: path.read_text() for path in folder.iterdir()}
        self.add(name, "RUNNING", options["metadata"])
        return name

    def add(self, name: str, state: str, metadata: dict[str, str], **more: Any) -> None:
        fields = {"driver_exit_code": None, "message": "", "end_time": None}
        started = 1000 * (time.time() - 100 + len(self.details))
        self.taken.add(name)
        self.details.append(
            SimpleNamespace(
                submission_id=name, status=state, metadata=metadata, start_time=started, **(fields | more)
            )
        )

    def finish(self) -> None:
        state, code, message = self.end
        vars(self.details[-1]).update(
            status=state, driver_exit_code=code, message=message, end_time=1000 * time.time()
        )

    def stop_job(self, job_id: str) -> bool:
        self.end = ("STOPPED", None, "")
        self.finish()
        return True

    def list_jobs(self) -> list[Any]:
        return self.details

    def get_job_logs(self, job_id: str) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        for number, piece in enumerate(self.pieces):
            if isinstance(piece, BaseException):
                del self.pieces[number]
                raise piece
            yield piece
        self.finish()

    def nodes(self) -> list[dict[str, Any]]:
        node = {"node_ip": "10.0.0.2", "state": "ALIVE", "resources_total": {"CPU": 8.0}}
        head = {
            "node_ip": "10.0.0.1",
            "state": "ALIVE",
            "is_head_node": True,
            "resources_total": {"CPU": 4.0},
        }
        return [node, head, {"node_ip": "10.0.0.3", "state": "DEAD", "resources_total": None}]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("service.jobs.dashboard.PAUSE", 0.0)
    cluster = Cluster()
    monkeypatch.setattr(Dashboard, "connect", lambda address: Dashboard(address, cluster))
    return cluster


@pytest.fixture
def dashboard(cluster: Cluster) -> Dashboard:
    return Dashboard(URL, cluster)


@pytest.fixture
def console() -> Console:
    return Console(width=200, record=True)


def one_line(console: Console) -> str:
    return " ".join(console.export_text().split())


def of_sweep(out: str = OUT, asked: str = "") -> dict[str, str]:
    return {"polychrony.sweep": "small", "polychrony.out": out, "polychrony.asked": asked}


def test_a_faulty_file_is_refused_before_anything_is_sent(
    sweep_file: Path, monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    def never(address: str) -> Dashboard:
        raise AssertionError("it asked the cluster")

    monkeypatch.setattr(Dashboard, "connect", never)
    with pytest.raises(UserError) as caught:
        submit(sweep_file, URL, OUT, ["learner.hidden=0", "search.trials=0"], console)
    assert len(caught.value.faults) == 2


def test_what_is_sent(cluster: Cluster, sweep_file: Path, console: Console) -> None:
    assert submit(sweep_file, URL, "/a b/runs", ["search.trials=7"], console) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"] == (
        f"exec sh {START_FILE} run small.yaml --address \"$RAY_ADDRESS\" --out '/a b/runs'"
    )
    assert sent["metadata"]["polychrony.sweep"] == "small"
    assert [Path(path).name for path in sent["runtime_env"]["py_modules"]] == ["model", "search", "service"]
    assert sent["runtime_env"]["env_vars"]["RAY_JOB_STOP_SIGNAL"] == "SIGINT"
    sweep_file.with_name("sent.yaml").write_text(cluster.files["small.yaml"])
    assert load(sweep_file.with_name("sent.yaml")) == load(sweep_file, ["search.trials=7"])


def test_installed_code_is_not_sent(cluster: Cluster, sweep_file: Path, console: Console) -> None:
    assert submit(sweep_file, URL, OUT, [], console, detach=True, code=INSTALLED) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"].startswith("exec polychrony run small.yaml")
    assert "py_modules" not in sent["runtime_env"]


def test_a_relative_folder_is_one_of_the_working_folder(
    cluster: Cluster, sweep_file: Path, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    submit(sweep_file, URL, "runs", [], console, detach=True)
    assert cluster.sent[0]["metadata"]["polychrony.out"] == str(tmp_path / "runs")


def test_data_may_be_elsewhere_only_by_an_absolute_path(sweep_file: Path) -> None:
    there = ["data={path: /shared/train.h5, test: /shared/test.h5}"]
    spec = load(sweep_file, there, elsewhere=True)
    assert (spec.data.path, spec.data.test) == ("/shared/train.h5", "/shared/test.h5")
    with pytest.raises(UserError, match="there is no file"):
        load(sweep_file, there)
    with pytest.raises(UserError, match="there is no file"):
        load(sweep_file, ["data={path: train.h5, test: /shared/test.h5}"], elsewhere=True)


def test_a_sweep_that_runs_is_followed_and_not_sent_again(
    cluster: Cluster, sweep_file: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    assert submit(sweep_file, URL, OUT, [], console) == 0
    assert len(cluster.sent) == 1
    assert "small runs already, as job polychrony-small-" in console.export_text()
    assert "[1/3] trial 0 complete" in capsys.readouterr().out


def test_a_sweep_that_runs_with_other_settings_is_refused(
    cluster: Cluster, sweep_file: Path, console: Console
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    with pytest.raises(UserError, match=r"small: name: the sweep runs already as job .* other settings"):
        submit(sweep_file, URL, OUT, ["learner.hidden=7"], console)
    submit(sweep_file, URL, "/other/runs", ["learner.hidden=7"], console, detach=True)  # is another sweep
    assert len(cluster.sent) == 2


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_sweep_whose_job_has_ended_is_sent_anew(
    state: str, cluster: Cluster, sweep_file: Path, console: Console
) -> None:
    submit(sweep_file, URL, OUT, [], console, detach=True)
    cluster.end = (state, None, "")
    cluster.finish()
    submit(sweep_file, URL, OUT, [], console, detach=True)
    names = [one["submission_id"] for one in cluster.sent]
    assert [name[-2:] for name in names] == ["-1", "-2"] and names[0] in console.export_text()


def test_of_two_who_send_at_once_one_follows_the_other(
    cluster: Cluster, dashboard: Dashboard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cluster.submit_job

    def late(**options: Any) -> str:
        monkeypatch.setattr(cluster, "submit_job", real)
        cluster.add(options["submission_id"], "PENDING", of_sweep())
        return real(**options)

    monkeypatch.setattr(cluster, "submit_job", late)
    name = start(dashboard, "small", OUT, console, text="name: small\n", code=SHIP)
    assert name == cluster.details[0].submission_id and cluster.sent == []


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (("SUCCEEDED", 0, ""), 0, ""),
        (("STOPPED", None, ""), 130, "was stopped, and what is finished is kept"),
        (("FAILED", 130, "failed"), 130, "`polychrony resume small"),
        (("FAILED", 2, "failed"), 2, "storage that all nodes see"),
        (("FAILED", 1, "failed"), 1, "could not go on"),
        (("FAILED", -9, "exit code -9\nlogs"), 1, "lost its driver (exit code -9)"),
        (("FAILED", None, "runtime_env setup failed"), 1, "lost its driver (runtime_env setup failed)"),
    ],
)
def test_the_exit_code_is_that_of_the_sweep(
    end: Any, code: int, said: str, cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.end = end
    assert follow(dashboard, "polychrony-small-0-1", console) == code
    assert said in one_line(console)


def test_a_log_is_taken_up_where_the_connection_broke(cluster: Cluster, dashboard: Dashboard) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.pieces = ["one\ntw", ConnectionResetError(), "o\nthree\n", RuntimeError("closed"), "four\n"]
    said: list[str] = []
    assert dashboard.follow("polychrony-small-0-1", said.append).state == "SUCCEEDED"
    assert "".join(said) == "one\ntwo\nthree\nfour\n"


def test_a_log_that_breaks_again_and_again_is_given_up(cluster: Cluster, dashboard: Dashboard) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.pieces = [ConnectionResetError() for _ in range(20)]
    with pytest.raises(SweepError, match="can't be followed; the job goes on"):
        dashboard.follow("polychrony-small-0-1", lambda text: None)


def test_ctrl_c_leaves_the_job_alone(
    cluster: Cluster, dashboard: Dashboard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(name: str, write: Callable[[str], object]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dashboard, "follow", interrupted)
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    assert follow(dashboard, "polychrony-small-0-1", console) == 130
    assert cluster.details[0].status == "RUNNING"
    assert f"`polychrony stop small --address {URL}` ends it" in one_line(console)


def test_the_tracking_server_goes_along_but_no_password(
    cluster: Cluster, sweep_file: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    submit(sweep_file, URL, OUT, [], console, detach=True)
    assert cluster.sent[0]["runtime_env"]["env_vars"]["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@db/runs")
    with pytest.raises(UserError, match="would be seen by all") as caught:
        submit(sweep_file, URL, "/other", [], console, detach=True)
    assert "secret" not in str(caught.value) and len(cluster.sent) == 1


def test_the_code_that_is_sent_is_whole(tmp_path: Path) -> None:
    with packed("small.yaml", OUT, SHIP, "name: small\n", {}) as package:
        code = Path(package.runtime_env["py_modules"][0]).parent
        command = ["sh", START_FILE, "table", "none", "trials"]
        job, environment = (
            package.runtime_env["working_dir"],
            {"PYTHONPATH": str(code), "PATH": "/usr/bin:/bin"},
        )
        refused = subprocess.run(
            command, cwd=job, env=environment, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, "nor is there any other" in refused.stderr) == (2, True), refused.stderr
        asked = "import service.version as v; print(v.__file__, v.code_version())"
        answer = subprocess.run(
            [sys.executable, "-c", asked],
            cwd=job,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == f"{code}/service/version.py {code_version()}"


def test_a_node_without_our_needs_says_so(tmp_path: Path) -> None:
    with packed("small.yaml", OUT, SHIP, None, {}) as package:
        script = Path(package.runtime_env["working_dir"], START_FILE)
        script.write_text(script.read_text().replace(sys.executable, "/nowhere/python"))
        bare = {"PATH": str(tmp_path)}
        done = subprocess.run(["/bin/sh", str(script)], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "polychrony: no Python on this node has ray" in done.stderr


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


def test_logs_are_those_of_jobs(console: Console) -> None:
    with pytest.raises(UserError, match="--address: is missing"):
        logs("small", None, None, console, following=True)


def test_a_driver_of_this_machine_is_stopped(tmp_path: Path, console: Console) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "sweep.yaml").write_text("name: small\ndata: {name: digits}\nsearch: {trials: 3}\n")
    code = (
        "import sys, time; from pathlib import Path; from service.storage.lock import sweep_lock\n"
        "with sweep_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
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


class Answering(BaseHTTPRequestHandler):
    """Answers as the class of the server says."""

    status: int = 200
    text: str = ""
    seen: str = ""

    def do_GET(self) -> None:
        type(self).seen = self.headers.get("Authorization", "")
        if self.status == 0:  # says nothing
            time.sleep(2)
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
    monkeypatch.setattr("service.jobs.dashboard.PATIENCE", 0.5)

    class Handler(Answering):
        pass

    Handler.status, Handler.text = status, text
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(kind, match=said) as caught:
            Dashboard.connect(f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
    assert Handler.seen == "Bearer secret"


def test_where_nothing_answers() -> None:
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


def test_a_sweep_is_resumed_as_its_last_job_was(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "STOPPED", of_sweep() | {"polychrony.code": INSTALLED})
    assert resume(dashboard, "small", None, console, text=None) == 0
    [sent] = cluster.sent
    assert sent["entrypoint"] == (
        f'exec polychrony run {OUT}/small/sweep.yaml --address "$RAY_ADDRESS" --out {OUT}'
    )
    assert sent["submission_id"].endswith("-2")


def test_a_cluster_that_was_started_anew_goes_on_too(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    resume(dashboard, "small", OUT, console, text=None)
    assert f"run {OUT}/small/sweep.yaml" in cluster.sent[0]["entrypoint"]
    assert "py_modules" in cluster.sent[0]["runtime_env"]


def test_what_runs_is_not_resumed_but_followed(
    cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep(asked="something"))
    assert resume(dashboard, "small", None, console, text=None) == 0
    assert cluster.sent == []
