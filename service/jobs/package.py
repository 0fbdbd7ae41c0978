"""What is sent with a job: our own code and the sweep, or only the sweep, where polychrony is installed."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from service.version import SHIPPED, code_version

SHIP, INSTALLED = "ship", "installed"
CODES = (SHIP, INSTALLED)
"""Where the code of a job comes from: from here, or from the cluster, for example from its image."""

PACKAGES = ("model", "search", "service")
NEEDED = ("ray", "torch", "numba", "mlflow", "optuna", "pyarrow", "typer")
"""A Python that has these is the one to run a sweep with."""

STOP_SECONDS = 8
"""A driver that was told to stop is killed after so long."""
ENVIRONMENT = {
    "RAY_JOB_STOP_SIGNAL": "SIGINT",  # stopping a job is ctrl-C to its driver
    "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS),
}

APART = "exec env -C /"
"""How a driver is run: outside of its job's folder, which a second node of Ray's on the same machine lays out
anew. Whoever stood in the old one would have no working folder any more, and MLflow stops without one."""

START_FILE = "start.sh"
START = """\
# Runs polychrony by the first Python of this machine that has what it needs.
for python in {ours} python python3; do
    if "$python" -c '{check}' 2>/dev/null; then
        exec "$python" -P -c 'from service.cli import main; main()' "$@"
    fi
done
echo "polychrony: no Python on this node has {needed}: install what polychrony needs there" \\
    "and start Ray with that environment activated" >&2
exit 1
"""
CHECK = "import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, {names})))"


@dataclass(frozen=True)
class Package:
    """A job, ready to be sent."""

    entrypoint: str
    runtime_env: dict[str, Any]


@contextmanager
def packed(file: str, out: str, code: str, text: str | None, variables: dict[str, str]) -> Iterator[Package]:
    """A job that runs a sweep file; what it consists of lies in a temporary folder meanwhile.

    Args:
        file: the name of the sweep file; a path on the cluster if nothing is sent.
        out: folder of all sweeps, as the cluster sees it.
        code: one of CODES.
        text: of the sweep file to be sent; None if it is on the cluster already.
        variables: more of the environment of the driver and its workers.
    """
    with TemporaryDirectory(prefix="polychrony-job-") as scratch:
        folder = Path(scratch) / "job"
        folder.mkdir()
        if text is not None:
            (folder / file).write_text(text, encoding="utf-8")
        runtime_env: dict[str, Any] = {"working_dir": str(folder), "env_vars": ENVIRONMENT | variables}
        program = f"{APART} polychrony"
        if code == SHIP:
            # Apart from the sweep: Ray knows them again by their content, and kernels are compiled only once.
            runtime_env["py_modules"] = _copies(Path(scratch) / "code")
            program = f'{APART} sh "$PWD"/{START_FILE}'
        (folder / START_FILE).write_text(_start(), encoding="utf-8")  # also so that the folder is never empty
        sweep = shlex.quote(file) if text is None else f'"$PWD"/{shlex.quote(file)}'
        arguments = f'run {sweep} --address "$RAY_ADDRESS" --out {shlex.quote(out)}'
        yield Package(f"{program} {arguments}", runtime_env)


def _start() -> str:
    check = CHECK.format(names=str(list(NEEDED)).replace("'", '"'))
    return START.format(ours=shlex.quote(sys.executable), check=check, needed=", ".join(NEEDED))


def _copies(folder: Path) -> list[str]:
    """Our packages, copied as they are at this moment, with the version that they are."""
    copies = []
    for name in PACKAGES:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        copy = folder / name
        shutil.copytree(Path(spec.origin).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
        copies.append(str(copy))
    (folder / "service" / SHIPPED).write_text(code_version())
    return copies
