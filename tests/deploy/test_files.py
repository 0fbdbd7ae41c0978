"""The files of `deploy/`: what tools find in them, and what keeps others out."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SCHEMAS = ROOT / "tests" / "fixtures" / "kuberay_schemas.json"
KUSTOMIZATIONS = ["base", "overlays/small", "overlays/gpu", "cluster"]


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def done(*command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def documents(text: str) -> Iterator[dict[str, Any]]:
    yield from YAML(typ="safe").load_all(text)


def built(name: str) -> list[dict[str, Any]]:
    made = done("kubectl", "kustomize", str(DEPLOY / "kuberay" / name))
    assert made.returncode == 0, made.stderr
    return list(documents(made.stdout))


def ray_pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spec = document["spec"].get("rayClusterSpec", document["spec"])
    for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
        yield group["template"]["spec"]


@needs("hadolint")
def test_hadolint_finds_nothing() -> None:
    found = done("hadolint", str(DEPLOY / "image" / "Dockerfile"))
    assert found.returncode == 0, found.stdout


def test_the_image_names_no_folder_that_all_users_of_a_node_share() -> None:
    """Apptainer's /tmp is the node's; compiled kernels are run as code."""
    text = (DEPLOY / "image" / "Dockerfile").read_text().replace("\\\n", " ")
    last = [line for line in text.splitlines() if line.startswith("ENV ")][-1]
    assert "PATH=" in last and "=/tmp" not in last


@needs("shellcheck")
@pytest.mark.parametrize("name", ["slurm/sweep.sbatch", "image/with-secrets", "compose/make-secrets"])
def test_shellcheck_finds_nothing(name: str) -> None:
    found = done("shellcheck", str(DEPLOY / name))
    assert found.returncode == 0, found.stdout


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """A copy of the folder for compose, with its secrets made."""
    folder = tmp_path / "compose"
    shutil.copytree(DEPLOY / "compose", folder, ignore=shutil.ignore_patterns("secrets", "runs", ".env"))
    assert done(str(folder / "make-secrets")).returncode == 0
    return folder


@needs("docker-compose")
def test_compose_finds_nothing(compose: Path) -> None:
    found = done("docker-compose", "-f", str(compose / "compose.yaml"), "config", "-q")
    assert found.returncode == 0 and not found.stderr, found.stderr


def test_secrets_are_made_once_and_kept_from_others(compose: Path) -> None:
    names = [path.name for path in (compose / "secrets").iterdir()]
    file = next(documents((compose / "compose.yaml").read_text()))
    assert sorted(names) == sorted(file["secrets"])
    before = {name: (compose / "secrets" / name).read_text() for name in names}
    assert all(len(text) == 64 for text in before.values()) and len(set(before.values())) == len(names)
    assert stat.S_IMODE((compose / "secrets").stat().st_mode) == 0o700
    assert done(str(compose / "make-secrets")).returncode == 0
    assert before == {name: (compose / "secrets" / name).read_text() for name in names}


def test_compose_listens_on_loopback_only_and_has_no_secret_in_it() -> None:
    file = next(documents((DEPLOY / "compose" / "compose.yaml").read_text()))
    ports = [port for service in file["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2 and all(port.startswith("127.0.0.1:") for port in ports)
    for name, service in file["services"].items():
        words = [str(key).upper() for key in service.get("environment", {})]
        plain = [word for word in words if ("PASSWORD" in word or "SECRET" in word) and "_FILE" not in word]
        assert plain == [], name
        if "polychrony" in service.get("image", ""):
            assert service["environment"]["RAY_AUTH_MODE"] == "token" and service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name


def test_the_mlflow_server_wants_a_login_and_knows_its_names() -> None:
    command = next(documents((DEPLOY / "compose" / "compose.yaml").read_text()))["services"]["mlflow"][
        "command"
    ]
    assert "--app-name basic-auth" in command and "--allowed-hosts mlflow:5000,localhost:" in command
    assert "--allowed-hosts *" not in command and "password" not in command.lower()


def test_a_command_has_the_secrets_and_only_those(tmp_path: Path) -> None:
    (tmp_path / "RAY_AUTH_TOKEN").write_text("abc\n")
    (tmp_path / "PATH;touch hacked").write_text("x")
    (tmp_path / "readme.txt").write_text("x")
    program = str(DEPLOY / "image" / "with-secrets")
    told = done(program, "env", env={"PATH": os.environ["PATH"], "SECRETS": str(tmp_path)}, cwd=tmp_path)
    assert "RAY_AUTH_TOKEN=abc\n" in told.stdout and "readme" not in told.stdout
    assert not (tmp_path / "hacked").exists()


def test_an_empty_secret_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "MLFLOW_AUTH_ADMIN_PASSWORD").touch()
    program = str(DEPLOY / "image" / "with-secrets")
    told = done(program, "echo", "started", env={"PATH": os.environ["PATH"], "SECRETS": str(tmp_path)})
    assert told.returncode == 2 and "MLFLOW_AUTH_ADMIN_PASSWORD is empty" in told.stderr and not told.stdout


@needs("kubectl")
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_rays_kinds_are_what_kuberay_knows(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schemas = json.loads(SCHEMAS.read_text())
    kinds = [one for one in built(name) if one["kind"] in schemas]
    assert len(kinds) == 1
    faults = list(jsonschema.Draft7Validator(schemas[kinds[0]["kind"]]).iter_errors(kinds[0]))
    assert [(list(one.absolute_path), one.message) for one in faults] == []


@needs("kubectl")
@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("rayClusterSpec.workerGroupSpecs.0.maxReplicas", "five"),
        ("rayClusterSpec.autoscalerOptions.idleTimeout", 60),
        ("backofLimit", 3),
    ],
)
def test_the_schemas_would_notice(place: str, wrong: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    [job] = [one for one in built("base") if one["kind"] == "RayJob"]
    at: Any = job["spec"]
    *way, last = place.split(".")
    for step in way:
        at = at[int(step)] if step.isdecimal() else at[step]
    at[last] = wrong
    schema = json.loads(SCHEMAS.read_text())["RayJob"]
    assert len(list(jsonschema.Draft7Validator(schema).iter_errors(job))) == 1


@needs("kubectl", "kubernetes-validate")
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_other_kinds_are_what_kubernetes_knows(name: str, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(done("kubectl", "kustomize", str(DEPLOY / "kuberay" / name)).stdout)
    found = done("kubernetes-validate", "--strict", str(tmp_path / "all.yaml"))
    assert found.returncode == 0, found.stdout + found.stderr


@needs("kubectl")
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_pods_have_a_token_no_rights_and_time_to_start(name: str) -> None:
    [ray] = [one for one in built(name) if one["kind"].startswith("Ray")]
    assert ray["spec"].get("rayClusterSpec", ray["spec"])["authOptions"]["mode"] == "token"
    for pod in ray_pods(ray):
        [container] = pod["containers"]
        assert {"name": "RAY_AUTH_MODE", "value": "token"} in container["env"]
        assert {"name": "RAY_raylet_start_wait_time_s", "value": "300"} in container["env"]
        assert pod["securityContext"]["runAsNonRoot"]
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] and rights["capabilities"] == {"drop": ["ALL"]}
        passwords = [one for one in container["env"] if "PASSWORD" in one["name"]]
        assert all("value" not in one for one in passwords)


@pytest.mark.parametrize(
    "name", ["compose/compose.yaml", "image/Dockerfile", "slurm/sweep.sbatch", "image/polychrony.def"]
)
def test_every_way_names_the_mode_of_rays_login(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert "RAY_AUTH_MODE" in text and "RAY_AUTH_MODE=disabled" not in text
