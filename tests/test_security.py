"""What docs/security.md promises, refusal by refusal."""

import ast
import json
import os
import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from model.network.checkpoint import CheckpointError, unpack
from service.config.load import load
from service.errors import UserError
from service.results.sweeps import sweeps_named

ROOT = Path(__file__).resolve().parents[1]
MAY_UNPICKLE = {"model/datasets/plain_pickle.py", "service/execution/_ray_internals.py"}
"""A reader that calls nothing, and the error that Ray's own worker has written."""
UNSAFE = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}


def test_pickles_are_read_nowhere_else() -> None:
    found = set()
    for path in (one for package in ("model", "search", "service") for one in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [one.name.partition(".")[0] for one in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module.partition(".")[0], *(one.name for one in node.names)]
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                loads = called in ("torch.load", "eval", "exec") or any(
                    word.arg == "allow_pickle" and ast.unparse(word.value) == "True" for word in node.keywords
                )
                names = ["pickle"] if loads else []
            if UNSAFE & {*names}:
                found.add(str(path.relative_to(ROOT)))
    assert found == MAY_UNPICKLE


class Harm:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_a_pickle_is_no_checkpoint(tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    with pytest.raises(CheckpointError, match="checkpoint"):
        unpack(pickle.dumps(Harm(harm)))
    assert not harm.exists()
    pickle.loads(pickle.dumps(Harm(harm))).close()  # as it would have been
    assert harm.exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "a;b", "$(x)", "a\nb", "", "x" * 65, "é", "http:x"])
def test_a_name_that_is_more_than_a_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(f"name: {json.dumps(name)}\ndata: {{name: digits}}\nsearch: {{trials: 3}}\n")
    with pytest.raises(UserError, match="name"):
        load(file)


def test_a_path_is_no_name_of_a_sweep(tmp_path: Path) -> None:
    for place in (tmp_path / "runs", tmp_path / "other"):
        place.mkdir()
        (place / "sweep.yaml").write_text("name: other\ndata: {name: digits}\nsearch: {trials: 3}\n")
    with pytest.raises(UserError, match="no such sweep"):
        sweeps_named(["../other"], tmp_path / "runs")


def test_no_secret_of_the_environment_is_written_down(tmp_path: Path) -> None:
    """What a sweep leaves behind, tables, MLflow's database and pictures among it, and what it says."""
    names = ("RAY_AUTH_TOKEN", "MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")
    secrets = {name: f"hush-{name.lower()}-hush" for name in names}
    command = [sys.executable, "-m", "service.cli", "train", "--out", str(tmp_path / "runs")]
    for one in (
        "name=quiet",
        "data={name: digits}",
        "learner={hidden: 4, epochs: 1, duration: 20.0, dt: 2.0}",
    ):
        command += ["--set", one]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | secrets,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files) and any(path.suffix == ".db" for path in files)
    told = [str(path) for path in files if b"-hush" in path.read_bytes()]
    assert told == [] and b"-hush" not in done.stdout


def test_the_bill_of_materials_names_what_is_installed() -> None:
    script = str(ROOT / "scripts" / "bill-of-materials")
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHON": sys.executable},
    )
    bill = json.loads(done.stdout)
    names = {one["name"].lower() for one in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX" and {"torch", "ray", "mlflow", "optuna"} <= names
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])


KNOWN = {"name": "ray", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2", "3"]}]}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
WELL = {"name": "mlflow", "version": "3", "vulns": []}


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"dependencies": [WELL]}, 0, "0 known vulnerabilities"),
        ({"dependencies": [KNOWN, WELL]}, 1, "ray 1: CVE-1, mended in 2, 3"),
        ({"dependencies": [WELL, UNKNOWN]}, 1, "nothing is known: torch"),
        (None, 1, "nothing was found out: OSError: no way to PyPI"),
    ],
)
def test_an_audit_that_could_not_ask_is_no_clean_one(
    answer: object, code: int, said: str, tmp_path: Path
) -> None:
    place = tmp_path / "pip_audit"
    place.mkdir()
    (place / "__init__.py").touch()
    asked = "import pathlib, sys\npathlib.Path('pins').write_text(sys.stdin.read())\n"
    end = "raise OSError('no way to PyPI')" if answer is None else f"print({json.dumps(answer)!r})"
    (place / "__main__.py").write_text(asked + end)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "bill-of-materials"), "--audit"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == code and said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    pins = (tmp_path / "pins").read_text()
    assert f"torch=={version('torch').partition('+')[0]}\n" in pins and "polychrony" not in pins
