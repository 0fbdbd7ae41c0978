"""A sweep where nothing is as at home: in a batch system's job, a container, or behind ssh, all at once."""

import os
import resource
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
import pandas as pd
import pytest
from bare import PACKAGES, PROGRAM, ROOT, read_only, run_bare

SWEEP = """\
name: small
data: {name: digits}
learner: {hidden: 8, epochs: 1, duration: 20.0, dt: 2.0, batch_size: 256}
search: {sampler: random, trials: 1}
"""
NAME = "50% of a%2Fb?c#d \u00fc"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Read-only code and home, a long folder for temporary files, no language, a proxy without an answer."""
    place = tmp_path_factory.mktemp("place")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, place / "code" / name, ignore=ignored)
    temporary = place / "temporary files of a job" / ("1234567" * 10)
    temporary.mkdir(parents=True)
    (place / "home").mkdir()
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        "PYTHONPATH": str(read_only(place / "code")),
        "HOME": str(read_only(place / "home")),
        "TMPDIR": str(temporary),
        "LC_ALL": "C",
        **dict.fromkeys(proxies, NOWHERE),
    }


def no_stdin_and_few_files() -> None:
    os.close(0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def test_a_sweep_runs_and_doctor_is_content(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "small.yaml").write_text(SWEEP)

    def polychrony(*arguments: str) -> str:
        done = run_bare(
            [*PROGRAM, *arguments], folder, environment, no_stdin_and_few_files, start_new_session=True
        )
        assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
        return done.stdout

    assert "all is well" in polychrony("doctor")
    assert f"polychrony ui --out '{folder}/runs'" in polychrony("run", "small.yaml")
    runs = folder / "runs"
    trials = pd.read_parquet(runs / "small/tables/trials")
    assert trials["state"].tolist() == ["complete"] and trials["accuracy"].notna().all()
    rows = {name: len(pd.read_parquet(runs / "small/tables" / name)) for name in ("epochs", "neurons")}
    assert rows == {"epochs": 1, "neurons": 2 * 8}  # before the first epoch and after the last
    assert sorted(one.name for one in folder.iterdir()) == ["runs", "small.yaml"]
    assert [one.name for one in tmp_path.iterdir()] == [NAME]
    shutil.copy(runs / "mlflow.db", tmp_path / "copy.db")  # asked for by a name without quotes
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/copy.db")
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert [run.info.status for run in found] == ["FINISHED", "FINISHED"]
    for run in found:
        files = Path(unquote(urlsplit(str(run.info.artifact_uri)).path))
        assert files.is_relative_to(runs / "mlartifacts") and list(files.iterdir())


def test_what_remains_a_fault_is_said_by_both_before_anything_is_written(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "small.yaml").write_text(SWEEP)
    files = {"MLFLOW_TRACKING_URI": "./mlruns"}
    ran = run_bare([*PROGRAM, "run", "small.yaml"], tmp_path, environment | files)
    looked = run_bare([*PROGRAM, "doctor"], tmp_path, environment | files)
    assert (ran.returncode, looked.returncode) == (2, 1)
    assert ran.stderr.startswith("MLFLOW_TRACKING_URI: ./mlruns: names neither a server nor a database")
    cure = f"sqlite:///{tmp_path}/mlflow.db"
    assert cure in ran.stderr and cure in looked.stdout and "1 to mend" in looked.stdout
    assert not (tmp_path / "runs").exists() and not (tmp_path / "mlruns").exists()
