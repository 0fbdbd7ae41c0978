"""Runs the command lines of deploy/compose/compose.yaml as processes, and uses them as its README says.

    python -m benchmarks.compose [--submits N] [--keep DIR]

There is no container engine in this: each service is a namespace of this machine with its own network,
processes and /tmp, called as in the file, with the secrets that `make-secrets` makes. PostgreSQL is Debian's,
with the password; the store is moto's server of the S3 protocol, so MinIO's own command line is not run. It
needs root, PostgreSQL, Debian's iproute2 and tini, and the extras `server`, `cluster` and `postgresql`.
Prints a line for each thing that must hold; exit code 1 if one does not.
"""

import argparse
import base64
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests" / "support")

from hang import await_that  # noqa: E402
from namespaces import Hosts  # noqa: E402
from slurm_hosts import polychrony  # noqa: E402

NAMES = ("postgres", "store", "mlflow", "bucket", "head", "worker", "user")
SWEEP = """\
name: small
data: {name: digits}
learner: {hidden: 6, epochs: 5, duration: 20.0, dt: 2.0, batch_size: 256, embedding: none}
space: {learner.wiring_cost: {log: [1e-4, 1e-1]}}
search: {sampler: random, trials: 2}
resources: {concurrent: 2}
"""
POSTGRES = """\
set -e
place=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
export PATH=$place:$PATH
install -d -o postgres -m 700 /tmp/data
install -m 644 /run/secrets/POSTGRES_PASSWORD /tmp/password
runuser -u postgres -- initdb -D /tmp/data -U mlflow --pwfile /tmp/password -A scram-sha-256 >&2
echo 'host all all all scram-sha-256' >>/tmp/data/pg_hba.conf
(until PGPASSWORD=$(cat /tmp/password) createdb -h localhost -U mlflow mlflow 2>/dev/null; do sleep 1; done) &
exec runuser -u postgres -- postgres -D /tmp/data -h '*' -k /tmp
"""
STORE = "exec moto_server -H 0.0.0.0 -p 9000"


class Compose:
    """The services of the file, each on a host of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: dict[str, Any] = YAML(typ="safe").load((ROOT / "deploy/compose/compose.yaml").read_text())
        made = folder / "compose"
        made.mkdir()
        maker = ROOT / "deploy" / "compose" / "make-secrets"
        (made / "make-secrets").write_bytes(maker.read_bytes())
        subprocess.run(["sh", str(made / "make-secrets")], check=True)
        self.secrets = made / "secrets"
        self.hosts = Hosts(folder / "hosts", NAMES, [folder, ROOT])
        self.bin = polychrony(folder, ROOT)
        (self.bin / "python3").symlink_to(sys.executable)
        (self.bin / "with-secrets").symlink_to(ROOT / "deploy" / "image" / "with-secrets")

    def words(self, name: str) -> list[str]:
        """The command line of a service, with the defaults of its variables, as the image runs it."""
        command = self.file["services"][name]["command"]
        given = {"${CPUS:-2}": "2", "${MLFLOW_PORT:-5000}": "5000"}
        if isinstance(command, str):
            for variable, value in given.items():
                command = command.replace(variable, value)
            command = shlex.split(command)
        return ["with-secrets", *command]

    def environment(self, name: str) -> dict[str, str]:
        """What the file and the image set, and what programs need to be found."""
        own = {key: str(value) for key, value in self.file["services"][name].get("environment", {}).items()}
        kept = {
            key: os.environ[key] for key in ("LANG", "NUMBA_CACHE_DIR", "PYTHONPATH") if key in os.environ
        }
        path = f"{self.bin}:{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**kept, "PATH": path, "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0", **own}

    def start(self, name: str, words: list[str] | None = None) -> None:
        """Start a service with its secrets in /run/secrets and its configuration in /etc."""
        service = self.file["services"][name]
        lines = ["mkdir -p /run/secrets"]
        for one in service.get("secrets", []):
            source, target = (one, one) if isinstance(one, str) else (one["source"], one["target"])
            lines.append(f"install -m 644 {self.secrets / source} /run/secrets/{target}")
        for one in service.get("configs", []):
            text = self.file["configs"][one["source"]]["content"]
            copy = self.folder / one["source"]
            copy.write_text(text)
            lines.append(f"cp {copy} {one['target']}")
        lines.append("exec " + shlex.join(words or self.words(name)))
        self.hosts.start(name, "\n".join(lines), self.environment(name))

    def user(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command where no secret is, but for those that are given."""
        known = self.environment("head")
        known = {key: value for key, value in known.items() if not key.startswith("MLFLOW_")}
        return self.hosts.on("user", *command, environment={**known, **environment}, cwd=self.folder)

    def answer(self, url: str, login: str = "") -> int:
        """The status with which a page answers; 0 if nobody does."""
        code = (
            "import sys, urllib.request as u, urllib.error as e\n"
            "r = u.Request(sys.argv[1], headers={'Authorization': sys.argv[2]} if sys.argv[2] else {})\n"
            "try: print(u.urlopen(r, timeout=60).status)\n"
            "except e.HTTPError as error: print(error.code)\n"
            "except OSError: print(0)\n"
        )
        header = "Basic " + base64.b64encode(login.encode()).decode() if login else ""
        return int(self.user(sys.executable, "-c", code, url, header).stdout or 0)

    def secret(self, name: str) -> str:
        """One that was made."""
        return (self.secrets / name).read_text()


def bring_up(compose: Compose) -> None:
    """Start all, each when the ones it depends on are healthy."""
    compose.start("postgres", ["bash", "-c", POSTGRES])
    compose.start("store", ["bash", "-c", STORE])
    compose.hosts.start("user", "exec sleep infinity", compose.environment("head"))
    await_that(lambda: compose.answer("http://store:9000") > 0, "the store")
    compose.start("bucket")
    compose.start("mlflow")
    await_that(lambda: compose.answer("http://mlflow:5000/health") == 200, "MLflow")
    for node in ("head", "worker"):
        compose.start(node)
        log = compose.folder / "hosts" / f"{node}.log"
        await_that(lambda log=log: "Ray runtime started" in log.read_text(), node)  # type: ignore[misc]


def refusals(compose: Compose) -> Iterator[tuple[str, bool]]:
    """What keeps others out."""
    page, admin = "http://mlflow:5000/", f"admin:{compose.secret('MLFLOW_AUTH_ADMIN_PASSWORD')}"
    address = compose.hosts.address("mlflow")
    jobs = "http://head:8265/api/jobs/"
    yield "the UI asks for a login", compose.answer(page) == 401
    yield "and takes no known password", compose.answer(page, "admin:password1234") == 401
    yield "but its own", compose.answer(page, admin) == 200
    yield "a name that is not allowed is refused", compose.answer(f"http://{address}:5000/", admin) == 403
    yield "Ray's dashboard asks for the token", compose.answer(jobs) == 401


def submitted(compose: Compose, out: Path, token: str = "") -> tuple[int, str]:
    """The end of `polychrony submit`, and what it said."""
    (compose.folder / "small.yaml").write_text(SWEEP)
    command = [str(compose.bin / "polychrony"), "submit", "small.yaml", "--address", "http://head:8265"]
    given = {"RAY_AUTH_TOKEN": token} if token else {}
    done = compose.user(*command, "--out", str(out), **given)
    return done.returncode, done.stdout + done.stderr


def sweeps(compose: Compose, number: int) -> Iterator[tuple[str, bool]]:
    """A sweep is refused without the token, and runs with it, each time in a new folder."""
    import pandas

    code, said = submitted(compose, compose.folder / "refused")
    yield "`submit` without the token is refused, in words", code != 0 and "token" in said
    for one in range(number):
        out, began = compose.folder / f"runs{one}", time.monotonic()
        code, said = submitted(compose, out, compose.secret("RAY_AUTH_TOKEN"))
        (compose.folder / f"submit{one}.log").write_text(said)
        trials = len(pandas.read_parquet(out / "small" / "tables" / "trials")) if code == 0 else 0
        took = time.monotonic() - began
        logged = "could not be logged" not in said and "FileNotFoundError" not in said
        yield (
            f"submit {one + 1}: 2 trials by pandas, logged by MLflow, {took:.0f} s",
            trials == 2 and logged,
        )


def secrets_seen(compose: Compose) -> Iterator[tuple[str, bool]]:
    """Secrets must be in no log, no file of the sweeps, and no command line."""
    secrets = [file.read_bytes() for file in compose.secrets.iterdir()]
    places = [
        path for path in compose.folder.rglob("*") if path.is_file() and compose.secrets not in path.parents
    ]
    told = [str(path) for path in places if any(secret in path.read_bytes() for secret in secrets)]
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes())
    shown = [line for line in lines if any(secret in line for secret in secrets)]
    for one in told:
        print(f"a secret is in {one}")
    yield f"no secret in {len(places)} files", not told
    yield f"no secret in {len(lines)} command lines", not shown


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submits", type=int, default=1, help="how many sweeps, each in a new folder")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="a new folder for all files, to be kept")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("namespaces need root")
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    faults = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.keep or Path(temporary) / "c").resolve()
        folder.mkdir(parents=True)
        compose = Compose(folder)
        with compose.hosts:
            bring_up(compose)
            for what, holds in chain(
                refusals(compose), sweeps(compose, asked.submits), secrets_seen(compose)
            ):
                print(f"{'ok   ' if holds else 'FAULT'} {what}", flush=True)
                faults += not holds
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
