"""What `service` offers to scripts, and what it costs to ask for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import service

RECORDED = Path(__file__).resolve().parents[1] / "fixtures" / "recorded_sweeps"
HEAVY = ("torch", "numba", "mlflow", "ray", "igraph", "sklearn", "matplotlib", "plotly", "optuna", "scipy")


def test_the_public_names_are_these() -> None:
    assert service.__all__ == ["Sweep", "Sweeps", "optuna_study", "run_sweep"]
    assert dir(service) == service.__all__
    for name in service.__all__:
        assert getattr(service, name).__name__ == name
        assert getattr(service, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'Swep'"):
        _ = service.Swep


@pytest.mark.parametrize(
    "code",
    [
        "import service; service.Sweep",
        "import service; service.Sweep(RUNS + '/finished').table('trials')",
        "import service; service.Sweep(RUNS + '/finished').front()",
        "import service; service.Sweeps(RUNS).table('epochs')",
        "import service.cli",
        "import service.worker.task",
        "import service.config.sweep",
        "from service.commands.listing import print_list; from rich.console import Console; "
        "from pathlib import Path; print_list(Path(RUNS), Console(stderr=True))",
    ],
)
def test_reading_results_loads_nothing_heavy(code: str) -> None:
    assert sorted(loaded_by(f"RUNS = {str(RECORDED)!r}\n{code}") & set(HEAVY)) == []


def test_a_driver_loads_what_trains_and_draws_when_trials_run() -> None:
    modules = "service.control.controller, service.tracking.listener, service.execution.ray_tune"
    loaded = loaded_by(f"import service.commands.run, service.commands.progress, {modules}")
    assert sorted(loaded & set(HEAVY)) == ["optuna", "ray"]


def loaded_by(code: str) -> set[str]:
    """The modules that are there when a new process has run `code`."""
    program = f"{code}\nimport json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["model", "search"])
def test_a_file_of_the_users_with_the_name_of_a_package_is_named(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text("mine = 1\n")
    (tmp_path / "script.py").write_text("from service import Sweep\n")
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{package}.py takes the place of polychrony's own package `{package}`" in done.stderr


def test_a_value_apart_from_its_path_is_said_in_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "run", "a.yaml", "--set", "learner.hidden", "64"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    expected = "expected PATH=VALUE in one piece, such as learner.hidden=64"
    assert done.stderr == f"--set learner.hidden: PATH: {expected}\n"


def test_the_command_line_knows_a_cluster_only_where_one_is_named() -> None:
    program = "import sys, service.commands.dispatch; print('service.jobs.dashboard' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
