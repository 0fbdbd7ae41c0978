"""What importing costs: to read a sweep file, no library that trains, searches or measures."""

import subprocess
import sys

HEAVY = (
    "torch",
    "numba",
    "igraph",
    "scipy",
    "sklearn",
    "optuna",
    "h5py",
    "pandas",
    "pyarrow",
    "ray",
    "mlflow",
)


def test_reading_a_sweep_file_loads_nothing_heavy() -> None:
    code = "import service.config.load, service.config.json_schema, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(HEAVY) & set(done.stdout.split()) == set()
