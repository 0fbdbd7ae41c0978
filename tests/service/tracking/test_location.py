"""Which MLflow store a sweep is shown in, and that no password of it is shown or kept."""

from pathlib import Path

import mlflow
import pytest
from typer.testing import CliRunner

from service.cli import app
from service.config.changes import only_budgets_grew
from service.config.load import load
from service.config.sweep import SweepSpec, dump
from service.errors import UserError
from service.results.sweep import Sweep
from service.tracking import ui
from service.tracking.location import check_store, database_file, embedded_store, tracking_uri
from service.tracking.removal import remove_runs
from service.tracking.view import MlflowView

SWEEP = "name: {name}\ndata: {{name: digits}}\nlearner: {{hidden: 8}}\n"
SECRET = "postgresql://me:se%2Fcret@host:5432/runs"


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def spec_of(runs: Path, name: str, uri: str | None = None) -> SweepSpec:
    """A sweep with its resolved file."""
    folder = runs / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.yaml").write_text(SWEEP.format(name=name))
    spec = load(folder / "sweep.yaml", [f"mlflow.uri={uri}"] if uri else [])
    (folder / "sweep.yaml").write_text(dump(spec))
    return spec


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000",
        "https://mlflow.example.org/team",
        "postgresql://me@host/runs?sslmode=require",
        "postgresql+psycopg://host/runs",
        "sqlite:////data/mlflow.db",
    ],
)
def test_a_sweep_file_may_name_the_store(tmp_path: Path, uri: str) -> None:
    spec, plain = spec_of(tmp_path, "named", uri), spec_of(tmp_path, "plain")
    assert spec.mlflow.uri == uri and plain.mlflow.uri is None
    assert (
        Sweep(tmp_path / "named").spec.mlflow.uri == uri and Sweep(tmp_path / "plain").spec.mlflow.uri is None
    )
    moved = spec_of(tmp_path, "named")
    assert spec.hash == moved.hash and only_budgets_grew(spec.resolved(), moved.resolved())


@pytest.mark.parametrize(
    "uri", ["mlflow.db", "sqlite:///mlflow.db", "ftp://host", "http://", "databricks", "7"]
)
def test_what_is_no_store_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UserError, match=r"mlflow.uri: got .*, expected"):
        spec_of(tmp_path, "named", uri)


@pytest.mark.parametrize(
    "uri", [SECRET, "http://me:se@cr/et@host", "postgresql://host/runs?user=me&password=secret"]
)
def test_a_password_is_refused_and_not_shown(tmp_path: Path, uri: str) -> None:
    (tmp_path / "asked.yaml").write_text(SWEEP.format(name="a") + f"mlflow: {{uri: '{uri}'}}\n")
    for options in ([], [f"mlflow.uri={uri}"]):
        with pytest.raises(UserError) as caught:
            load(tmp_path / "asked.yaml", options)
        said = str(caught.value)
        assert "mlflow.uri: holds a password" in said and "PGPASSWORD" in said
        assert not any(part in said for part in ("secret", "se%2F", "cr/et", "se@"))


def test_the_environment_wins_over_the_file_and_the_file_over_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracking_uri(tmp_path, None) == embedded_store(tmp_path)
    assert tracking_uri(tmp_path, "http://asked") == "http://asked"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment")
    assert tracking_uri(tmp_path, "http://asked") == "http://environment"


@pytest.mark.parametrize(
    "uri",
    ["./mlruns", "mlruns", "file:///data/mlruns", "databricks", "uc:http://host", "sqlite://", "http://"],
)
def test_the_environment_may_name_only_what_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)
    for use in (lambda: tracking_uri(tmp_path, "http://asked"), lambda: ui.stores_of(tmp_path)):
        with pytest.raises(UserError) as caught:
            use()
        assert str(caught.value).startswith(f"MLFLOW_TRACKING_URI: {uri}: names neither a server nor a data")
        assert f"sqlite:///{tmp_path}/mlflow.db, or unset it" in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    ["sqlite:///mlflow.db", "postgresql:///runs?host=/run", "mysql+pymysql://host/runs", "https://host"],
)
def test_the_environment_may_name_any_server_and_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert tracking_uri(tmp_path, None) == uri


def test_what_waiting_would_not_mend_is_said_at_once(tmp_path: Path) -> None:
    check_store(tmp_path, None)
    check_store(tmp_path, "http://nobody.invalid")
    check_store(tmp_path, f"sqlite:///{tmp_path}/new/mlflow.db")
    for uri, fault in {
        "mysql+nosuchdriver://host/runs": "mlflow.uri: mysql.*is no address of a database",
        "mysql+aiomysql://host/runs": "mlflow.uri: mysql.*needs a package that is missing: aiomysql",
        "postgresql://host:port/runs": "is no address of a database",
        "sqlite:////dev/null/mlflow.db": "MLflow's database /dev/null/mlflow.db can't be written",
    }.items():
        with pytest.raises(UserError, match=fault):
            check_store(tmp_path, uri)


def test_the_path_of_a_database_is_quoted_in_its_uri() -> None:
    runs = Path("/data/50% of a%2Fb?c#d \u00fc")
    assert database_file(embedded_store(runs)) == runs / "mlflow.db"
    assert database_file("postgresql://host/runs") is None


def test_runs_are_logged_to_the_store_of_the_file_and_deleted_there(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    spec, runs = spec_of(tmp_path / "runs", "named", store), tmp_path / "runs"
    view = MlflowView.open(runs, spec, runs / "named")
    view.trial_started(0, {})
    view.trial_finished(0, "complete", None, 1, {"loss": (1.0, None)}, lambda: {"a.png": b"png"})
    view.add_to_sweep(lambda: {"front.png": b"front", "tables/trials.csv": b"trial\n"})
    view.close("complete")
    client = mlflow.MlflowClient(store)
    (experiment,) = [one for one in client.search_experiments() if one.name == "named"]
    found = client.search_runs([experiment.experiment_id])
    assert len(found) == 2 and not (runs / "mlflow.db").exists()
    (parent,) = [run for run in found if "polychrony.trial" not in run.data.tags]
    files = {one.path for one in client.list_artifacts(parent.info.run_id)}
    assert files == {"front.png", "sweep.yaml", "tables"}
    assert [one.path for one in client.list_artifacts(parent.info.run_id, "tables")] == ["tables/trials.csv"]
    assert ui.stores_of(runs) == [store]
    assert remove_runs(runs, runs / "named", store) == 2
    assert client.search_runs([experiment.experiment_id]) == []


class Served:
    """Takes the place of the server."""

    pid = 2**22 + 1  # no process has it
    waited = 0

    def __init__(self) -> None:
        self.command: list[str] = []
        self.environment: dict[str, str] = {}

    def Popen(self, command: list[str], env: dict[str, str], **_: object) -> "Served":
        self.command, self.environment = command, env
        return self

    def wait(self) -> int:
        """The first time somebody presses ctrl-C."""
        self.waited += 1
        if self.waited == 1:
            raise KeyboardInterrupt
        return 0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    served = Served()
    monkeypatch.setattr(ui, "subprocess", served)
    monkeypatch.setattr(ui, "_answers", lambda port, server: False)
    monkeypatch.setattr(ui, "_is_free", lambda port: True)
    monkeypatch.setattr(ui, "addresses", lambda runs, port, store: {})
    return served


def test_ui_serves_a_database_and_never_tells_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Served
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SECRET)
    said = CliRunner().invoke(app, ["ui", "--out", str(tmp_path), "--port", "5123"])
    assert said.exit_code == 0
    assert "starting the MLflow UI of postgresql://host:5432/runs" in said.output
    assert served.environment["MLFLOW_BACKEND_STORE_URI"] == SECRET
    assert "cret" not in said.output + " ".join(served.command)
    assert (tmp_path / "mlartifacts").as_uri() in served.command


def test_ui_says_where_a_server_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host:5000")
    said = CliRunner().invoke(app, ["ui", "--out", str(tmp_path)])
    assert said.exit_code == 0 and said.output == "MLflow: http://host:5000\n"
    assert served.command == []


def test_ui_serves_our_own_store_and_names_those_of_other_sweeps(tmp_path: Path, served: Served) -> None:
    spec_of(tmp_path, "here")
    spec_of(tmp_path, "there", "http://host:5000")
    assert CliRunner().invoke(app, ["ui", "--out", str(tmp_path)]).output.startswith("MLflow: http://host")
    assert served.command == []
    (tmp_path / "mlflow.db").touch()
    said = CliRunner().invoke(app, ["ui", "--out", str(tmp_path)]).output.splitlines()
    assert said[0] == "MLflow: http://host:5000" and said[1].startswith("starting the MLflow UI")
    assert served.environment["MLFLOW_BACKEND_STORE_URI"] == embedded_store(tmp_path)


def test_ui_of_a_folder_without_sweeps(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no sweep has been logged there; run one first"):
        CliRunner().invoke(app, ["ui", "--out", str(tmp_path)], catch_exceptions=False)
