"""Runs the image of deploy/image in containers, as compose and Kubernetes do, and sees that sweeps run there.

    python -m benchmarks.image ROOT [--cases doctor,quickstart,rayjob,charliecloud] [--keep DIR]

ROOT is the folder of the image's files (`buildah mount $(buildah from polychrony)`). Containers are those of
runc: the image's user without any rights, a root that is only read, a /tmp in memory, a volume /runs and a
network of their own. `doctor` and the quickstart run in one. `rayjob` starts head and worker as
deploy/kuberay/base says, submits its entrypoint to the head, ends both containers in the midst of the sweep,
starts them and submits it again, and once more when all is done. `charliecloud` is a sweep of a user without
rights, by Charliecloud. Both sweeps are that of benchmarks/slurm.py, and must have each trial once. It needs
root, kubectl, and Debian's runc, iproute2, tini and charliecloud-runtime. Prints a line a thing; exit code 1
if one does not hold.
"""

import argparse
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.slurm import EPOCHS, REPLICATES, TRIALS, sweep_text

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests" / "support")

from audit import audit  # noqa: E402
from hang import await_that  # noqa: E402
from namespaces import connect, disconnect  # noqa: E402

USER, CPUS = 10001, 2
ADDRESSES = {"head": "10.79.0.1", "worker": "10.79.0.2"}
Found = Iterator[tuple[str, bool]]


class Containers:
    """What runs in containers of the image, one a name; their volume is `runs`, read by all."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder
        self.runs, self.sweep = folder / "runs", folder / "sweep"
        self.prefix, self.token = f"pli{os.getpid()}", secrets.token_hex(32)
        for one in (self.runs, self.sweep):
            one.mkdir(parents=True)
        os.chown(self.runs, USER, USER)
        for place in ("runs", "sweep"):  # where volumes will lie: an engine makes these folders, too
            (image / place).mkdir(exist_ok=True)

    def __enter__(self) -> "Containers":
        connect(self.prefix, ADDRESSES)
        return self

    def __exit__(self, *error: object) -> None:
        for name in ADDRESSES:
            self.end(name)
        disconnect(self.prefix, ADDRESSES)

    def start(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        """Start a container; what it says goes to NAME.log."""
        bundle = self.folder / name
        bundle.mkdir(exist_ok=True)
        config = bundle / "config.json"
        config.unlink(missing_ok=True)
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        config.write_text(json.dumps(self._changed(json.loads(config.read_text()), name, command)))
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                ["runc", "run", "--bundle", str(bundle), f"{self.prefix}-{name}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def run(self, command: list[str]) -> tuple[int, str]:
        """The end of a command in a container of its own, and what it said."""
        before = len(self.said("head"))
        code = self.start("head", command).wait()
        said = self.said("head")[before:]
        print(said if code else "", end="")
        return code, said

    def within(self, name: str, command: list[str]) -> tuple[int, str]:
        """The end of a command in a container that runs, and what it said."""
        done = subprocess.run(
            ["runc", "exec", f"{self.prefix}-{name}", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        with (self.folder / f"{name}.log").open("a") as log:
            log.write(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def end(self, name: str) -> None:
        """End a container at once, if there is one."""
        command = ["runc", "delete", "--force", f"{self.prefix}-{name}"]
        subprocess.run(command, capture_output=True, check=False)

    def said(self, name: str) -> str:
        """All that a container has said."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _changed(self, config: dict[str, Any], name: str, command: list[str]) -> dict[str, Any]:
        given = {"HOME": "/tmp", "RAY_AUTH_TOKEN": self.token, "RAY_raylet_start_wait_time_s": "300"}
        variables = {**given, **image_variables()}
        config["hostname"] = name
        hosts = self.folder / name / "hosts"  # where every engine writes these two
        hosts.write_text(f"127.0.0.1 localhost\n{ADDRESSES[name]} {name}\n")
        config["root"] = {"path": str(self.image), "readonly": True}
        config["process"] |= {
            "terminal": False, "args": ["with-secrets", *command], "user": {"uid": USER, "gid": USER},
            "cwd": "/tmp", "env": [f"{key}={value}" for key, value in variables.items()],
            "capabilities": {}, "noNewPrivileges": True, "rlimits": [],
        }  # fmt: skip
        for space in config["linux"]["namespaces"]:
            if space["type"] == "network":
                space["path"] = f"/run/netns/{self.prefix}-{name}"
        for mount in config["mounts"]:
            if mount["destination"] == "/dev/shm":  # more than an engine's 64 MB, as in compose.yaml
                mount["options"] = ["nosuid", "noexec", "nodev", "mode=1777", "size=1g"]
        temporary = ["mode=2777", f"gid={USER}", "nosuid"]  # as Kubernetes makes an emptyDir with an fsGroup
        config["mounts"] += [
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": temporary},
            {"destination": "/runs", "type": "bind", "source": str(self.runs), "options": ["rbind", "rw"]},
            {"destination": "/sweep", "type": "bind", "source": str(self.sweep), "options": ["rbind", "ro"]},
            {"destination": "/etc/hosts", "type": "bind", "source": str(hosts), "options": ["bind", "ro"]},
        ]
        return config


def image_variables() -> dict[str, str]:
    """What the Dockerfile sets for what runs in the image: its last ENV."""
    text = (ROOT / "deploy" / "image" / "Dockerfile").read_text().replace("\\\n", " ")
    last = [line for line in text.splitlines() if line.startswith("ENV ")][-1]
    return dict(word.split("=", 1) for word in shlex.split(last)[1:])


def doctor(containers: Containers) -> Found:
    """The image's own command."""
    code, said = containers.run(["sh", "-c", "id -u; touch /x /opt/x /home/polychrony/x; polychrony doctor"])
    refused = said.count("Read-only file system") == 3
    yield f"it runs as user {USER}, and its root can't be written", str(USER) in said.splitlines() and refused
    yield "doctor: all is well", code == 0


def quickstart(containers: Containers) -> Found:
    """The sweep of the first page, in one container."""
    import pandas

    began = time.monotonic()
    code, _ = containers.run(["polychrony", "run", "quickstart", "--out", "/runs"])
    took = time.monotonic() - began
    place = containers.runs / "quickstart"
    trials = len(pandas.read_parquet(place / "tables" / "trials")) if code == 0 else 0
    yield f"the quickstart: {trials} trials, {took:.0f} s", code == 0 and trials == 24


def audited(place: Path, code: int) -> tuple[str, bool]:
    """What is wrong with a sweep of `sweep_text` that has ended so."""
    store = f"sqlite:///{place.parent}/mlflow.db"
    faults = ["not finished"] if code else audit(place, TRIALS, EPOCHS, REPLICATES, store)
    return f"audit: {'; '.join(faults) or 'nothing'}", not faults


def kubernetes() -> dict[str, Any]:
    """The specification of the RayJob."""
    made = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / "deploy" / "kuberay" / "base")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    [job] = [one for one in YAML(typ="safe").load_all(made.stdout) if one["kind"] == "RayJob"]
    spec: dict[str, Any] = job["spec"]
    return spec


def bring_up(containers: Containers, spec: dict[str, Any]) -> None:
    """Start head and worker as KubeRay does, which makes options of `rayStartParams`."""
    cluster = spec["rayClusterSpec"]
    groups = {"head": cluster["headGroupSpec"], "worker": cluster["workerGroupSpecs"][0]}
    for name, group in groups.items():
        given = group["rayStartParams"].items()
        own = ["--head"] if name == "head" else [f"--address={ADDRESSES['head']}:6379", f"--num-cpus={CPUS}"]
        own += [f"--node-ip-address={ADDRESSES[name]}", "--block"]
        own += [f"--{key}" if value == "true" else f"--{key}={value}" for key, value in given]
        before = containers.said(name).count("Ray runtime started")
        started = containers.start(name, ["ray", "start", *own])

        def up(name: str = name, before: int = before, started: Any = started) -> bool:
            assert started.poll() is None, containers.said(name)[-2000:]
            return containers.said(name).count("Ray runtime started") > before

        await_that(up, f"the start of Ray on the {name}")


def submit(containers: Containers, spec: dict[str, Any]) -> tuple[int, str]:
    """Send the entrypoint as KubeRay's submitter beside the head does; version 1.5 waits by wget."""
    wait = "until wget -q -O- http://localhost:8265/api/gcs_healthz | grep success; do sleep 2; done"
    command = f"{wait}; exec ray job submit --address http://127.0.0.1:8265 -- {spec['entrypoint']}"
    return containers.within("head", ["bash", "-c", command])


def rayjob(containers: Containers) -> Found:
    """The entrypoint, thrice: its cluster dies, it goes on, it finds that all is done."""
    from concurrent.futures import ThreadPoolExecutor

    from service import Sweep
    from service.errors import PolychronyError

    spec, place = kubernetes(), containers.runs / "rayjob"
    (containers.sweep / "sweep.yaml").write_text(sweep_text("rayjob"))

    def finished() -> int:
        try:
            return len(Sweep(place).arrow("trials", columns=["trial"]))
        except PolychronyError:  # it has not begun
            return 0

    bring_up(containers, spec)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(submit, containers, spec)
        await_that(lambda: finished() >= 2 or first.done(), "two trials")
        for name in ADDRESSES:
            containers.end(name)
        done = finished()
        yield f"a RayJob whose cluster dies at {done} of {TRIALS} trials", 2 <= done < TRIALS
        first.result()
    bring_up(containers, spec)
    code, said = submit(containers, spec)
    yield "the entrypoint a second time goes on, and ends well", code == 0 and "are finished" in said
    yield audited(place, code)
    began = time.monotonic()
    code, said = submit(containers, spec)
    took = time.monotonic() - began
    yield f"a third time it says that all is done, {took:.0f} s", code == 0 and "is finished:" in said


def charliecloud(containers: Containers) -> Found:
    """A sweep of a user without any rights; the container's /tmp is a folder of the node's."""
    name = "charliecloud"
    image, runs, temporary = (containers.folder / f"{name}-{one}" for one in ("image", "runs", "tmp"))
    for one in (image, runs, temporary):
        one.mkdir()
        shutil.chown(one, "nobody", "nogroup")
    (containers.sweep / "sweep.yaml").write_text(sweep_text(name))
    command = ["ch-run", f"--bind={runs}:/runs", f"--bind={containers.sweep}:/sweep"]
    command += [f"--set-env={key}={value}" for key, value in image_variables().items()]
    command += [str(image), "--", "polychrony", "run", "/sweep/sweep.yaml", "--out", "/runs"]
    given = {"PATH": os.environ["PATH"], "USER": "nobody", "HOME": "/nonexistent", "TMPDIR": str(temporary)}
    # The way to the image's files is root's.
    subprocess.run(["mount", "--bind", str(containers.image), str(image)], check=True)
    began = time.time()
    try:
        done = subprocess.run(
            command, user="nobody", group="nogroup", extra_groups=[], env=given, cwd="/",
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(["umount", str(image)], check=True)
    yield f"a sweep by Charliecloud, as nobody: {time.time() - began:.0f} s", done.returncode == 0
    (containers.folder / f"{name}.log").write_text(done.stdout + done.stderr)
    yield audited(runs / name, done.returncode)
    kernels = [one.stat().st_mtime > began for one in temporary.glob("polychrony-*/kernels-*/**/*.nbc")]
    yield f"of {len(kernels)} kernels {sum(kernels)} are not the image's", bool(kernels) and not any(kernels)


CASES = {one.__name__: one for one in (doctor, quickstart, rayjob, charliecloud)}


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", metavar="ROOT", type=Path, help="the folder of the image's files")
    parser.add_argument("--cases", default=",".join(CASES), help="with commas between them")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="a new folder for all files, to be kept")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("namespaces need root")
    faults = 0
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o711)  # `nobody` has to come to its folders
        folder = (asked.keep or Path(temporary) / "i").resolve()
        with Containers(asked.root.resolve(), folder) as containers:
            for name in asked.cases.split(","):
                for what, holds in CASES[name](containers):
                    print(f"{'ok   ' if holds else 'FAULT'} {what}", flush=True)
                    faults += not holds
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
