"""The MLflow server of deploy/compose, by its own command line: what it refuses."""

import base64
import importlib.util
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from hang import await_that
from ruamel.yaml import YAML

COMPOSE = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "compose.yaml"
PASSWORD = "a long one of its own"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("flask_wtf") is None, reason="the extra `server` is not installed"
)


def command(folder: Path, port: int) -> list[str]:
    """That of the file, with a database in `folder`, on loopback and on a free port."""
    words = shlex.split(YAML(typ="safe").load(COMPOSE.read_text())["services"]["mlflow"]["command"])
    given = {"--host": "127.0.0.1", "--port": str(port), "--backend-store-uri": f"sqlite:///{folder}/a.db"}
    given["--artifacts-destination"] = str(folder / "artifacts")
    for option, value in given.items():
        words[words.index(option) + 1] = value
    return [sys.executable, "-P", "-m", *[word.replace("${MLFLOW_PORT:-5000}", str(port)) for word in words]]


def environment(folder: Path, **secrets: str) -> dict[str, str]:
    """Without any login of this machine's, but with the file's settings for logins."""
    text = YAML(typ="safe").load(COMPOSE.read_text())["configs"]["mlflow_auth"]["content"]
    lines = [
        f"database_uri = sqlite:///{folder}/auth.db" if "database_uri" in one else one
        for one in text.split("\n")
    ]
    (folder / "auth.ini").write_text("\n".join(lines))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    own = {"MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**clean, **own, **secrets}


@pytest.mark.parametrize(
    ("missing", "secrets"),
    [
        ("MLFLOW_AUTH_ADMIN_PASSWORD", {"MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}),
        ("MLFLOW_FLASK_SERVER_SECRET_KEY", {"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}),
    ],
)
def test_it_does_not_start_without(missing: str, secrets: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, free_port()), env=environment(tmp_path, **secrets), cwd=tmp_path,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0 and missing in done.stdout, done.stdout[-2000:]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that runs."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    secrets = {"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD, "MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command(folder, port), env=environment(folder, **secrets), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        return answer(f"{url}/health") == 200

    try:
        await_that(answers, "MLflow does not start")
        yield url
    finally:
        process.terminate()
        process.wait()


def answer(url: str, password: str = "", **headers: str) -> int:
    """The status with which a page answers; 0 if nobody does."""
    if password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    try:
        with urlopen(Request(url, headers=headers), timeout=60) as page:
            status: int = page.status
            return status
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, OSError):
        return 0


def test_it_wants_its_own_login(server: str) -> None:
    assert [answer(server, one) for one in ("", "password1234", "wrong", PASSWORD)] == [401, 401, 401, 200]


def test_it_answers_to_its_names_only(server: str) -> None:
    port = server.rpartition(":")[2]
    names = ["mlflow:5000", f"localhost:{port}", "mlflow.example.org", f"127.0.0.1.nip.io:{port}"]
    assert [answer(server, PASSWORD, Host=one) for one in names] == [200, 200, 403, 403]
