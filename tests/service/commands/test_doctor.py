"""What `polychrony doctor` finds, and how it says what to do."""

import base64
import socket
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path
from threading import Thread

import pytest
from object_store import ConditionalFile, ObjectStore
from packaging.requirements import Requirement
from rich.console import Console

from service.commands import doctor
from service.commands.doctor import Finding, examine
from service.errors import UserError
from service.execution import scratch
from service.storage.paths import StoragePath
from service.tracking.location import check_store


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def text_of(runs: Path) -> tuple[bool, str]:
    console = Console(width=300, record=True)
    return examine(runs, console), console.export_text()


def test_all_is_well_here(tmp_path: Path) -> None:
    well, said = text_of(tmp_path / "runs")
    assert well and "all is well" in said, said
    for what in ("torch", "kernels", "compiled and run in", "cores", "memory", "GPU", "can be written"):
        assert what in said
    assert not (tmp_path / "runs").exists() and not list(tmp_path.iterdir())


def test_what_is_missing_comes_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["nosuchpackage>=2", "numpy>=99", "ray[nosuchextra,tune]>=2", 'tonic; extra == "datasets"']
    monkeypatch.setattr(
        "service.commands.doctor.requires", lambda name: needs if name == "polychrony" else requires(name)
    )
    monkeypatch.setattr(doctor, "LOOKS", (doctor.packages,))
    well, said = text_of(tmp_path)
    assert not well and "2 to mend" in said
    assert 'nosuchpackage: pip install "nosuchpackage>=2"' in said
    assert 'numpy: pip install "numpy>=99"' in said


def test_an_extra_needs_all_of_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = ['nosuchpackage>=2; extra == "default"']
    monkeypatch.setattr("service.commands.doctor.requires", lambda name: inner if name == "ray" else [])
    assert doctor._package(Requirement("ray[tune]")).cure is None
    found = doctor._package(Requirement("ray[default]"))
    assert found.cure == 'pip install "ray[default]"' and "nosuchpackage: not installed" in found.found


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    [found] = doctor.folder(Path("/proc/runs"))
    assert found.cure == "make it writable, or give another by --out"


def test_an_object_store_must_heed_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectStore()
    [found] = doctor.folder(store.path())
    assert found.cure is None and store.files == {}

    def put(self: ConditionalFile, content: bytes, tag: str | None) -> str:
        store.put(self.key, content)
        return content.hex()

    monkeypatch.setattr(ConditionalFile, "put", put)
    [found] = doctor.folder(store.path())
    assert "does not heed If-None-Match" in found.found
    assert found.cure == "make it writable, or give another by --out"


@pytest.mark.parametrize("uri", ["http://me:secret@127.0.0.1:{}", "postgresql://me:secret@127.0.0.1:{}/runs"])
def test_a_store_that_does_not_answer(
    uri: str, closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(closed_port))
    monkeypatch.setattr(doctor, "LOOKS", (doctor.mlflow,))
    well, said = text_of(tmp_path)
    assert not well and "lets this machine in" in said and "secret" not in said


@pytest.mark.parametrize(
    "uri", ["./mlruns", "sqlite:////dev/null/mlflow.db", "mysql+nosuchdriver://host/runs"]
)
def test_a_store_that_run_would_refuse(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    [found] = doctor.mlflow(tmp_path)
    with pytest.raises(UserError) as caught:
        check_store(tmp_path, None)
    assert found.cure is not None and str(caught.value) == f"{found.found}: {found.cure}"


def test_no_place_for_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    [found] = doctor.temporary(tmp_path)
    assert found.cure is None and found.found.startswith("/tmp: can be written")
    monkeypatch.setattr(scratch, "SHORT", ("/dev/null",))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    [found] = doctor.temporary(tmp_path)
    with pytest.raises(UserError) as caught:
        scratch.scratch_place()
    assert found.cure is not None and str(caught.value) == f"{found.found}: {found.cure}"


def test_kernels_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = doctor.kernels(tmp_path)
    assert found.cure is None and "kept in" in found.found
    monkeypatch.setattr("model.kernels.cpu.compile.CACHED", False)
    [found] = doctor.kernels(tmp_path)
    assert found.cure is not None and "NUMBA_CACHE_DIR" in found.cure


def test_a_store_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    [found] = doctor.mlflow(tmp_path)
    assert found.cure is None and "answers" in found.found


@pytest.mark.parametrize(
    ("variable", "form"), [("RAY_ADDRESS", "{}"), ("RAY_API_SERVER_ADDRESS", "http://{}")]
)
def test_a_cluster_that_does_not_answer(
    variable: str, form: str, closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, form.format(f"127.0.0.1:{closed_port}"))
    [found] = doctor.cluster(tmp_path)
    assert found.what == variable and found.cure is not None and "start the cluster" in found.cure


def test_a_broken_package_is_a_fault_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(runs: StoragePath) -> Iterator[Finding]:
        raise ImportError("libnothing.so: cannot open\nsecond line")

    monkeypatch.setattr(doctor, "LOOKS", (broken,))
    well, said = text_of(tmp_path)
    assert not well and "ImportError: libnothing.so: cannot open" in said and "second line" not in said


class Guarded(BaseHTTPRequestHandler):
    """An MLflow server with a login: all may ask for its health, those with the password for more."""

    def do_GET(self) -> None:
        right = "Basic " + base64.b64encode(b"me:right").decode()
        open_to_all = self.path == "/health" or self.headers.get("Authorization") == right
        self.send_response(200 if open_to_all else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def guarded() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("password", "said"), [(None, "there is none"), ("wrong", "not its"), ("right", None)]
)
def test_a_server_that_wants_a_login(
    guarded: str, password: str | None, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", guarded)
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    if password:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    [found] = doctor.mlflow(tmp_path)
    if said is None:
        assert found.cure is None and "answers" in found.found
    else:
        assert said in found.found and found.cure is not None and "MLFLOW_TRACKING_PASSWORD" in found.cure
        assert "wrong" not in found.found + found.cure


def test_quiet_says_only_what_is_to_be_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(runs: StoragePath) -> Iterator[Finding]:
        yield Finding("well", "is there")
        yield from faults

    faults: list[Finding] = []
    monkeypatch.setattr(doctor, "LOOKS", [look])
    console = Console(width=300, record=True)
    assert examine(tmp_path, console, faults_only=True)
    assert console.export_text() == ""
    faults.append(Finding("ill", "is not", "mend it"))
    assert not examine(tmp_path, console, faults_only=True)
    said = console.export_text()
    assert "well" not in said and "FAULT  ill" in said and "ill: mend it\n1 to mend" in said
