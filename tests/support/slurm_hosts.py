"""A cluster of SLURM's on this machine: a controller and two nodes, each in namespaces of its own.

Each host has its own network, processes, host name, /tmp, /run and /dev/shm, and shares a folder with the
others; so Ray and SLURM see what they would see on three machines. Needs root and Debian's packages
slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins, munge, iproute2 and tini.
"""

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from hang import await_that
from namespaces import connect, disconnect

NEEDED = ("slurmctld", "slurmd", "sbatch", "munged", "ip", "nsenter", "unshare", "tini")
HOSTS = {"ctl": "10.77.0.10", "n1": "10.77.0.1", "n2": "10.77.0.2"}

CONFIGURATION = """\
ClusterName=try
SlurmctldHost=ctl(10.77.0.10)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1
ReturnToService=2
KillWait=15
SlurmctldTimeout=60
SlurmdTimeout=20
InactiveLimit=0
StateSaveLocation={folder}/slurm/state
SlurmdSpoolDir={folder}/slurm/spool/%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile={folder}/slurm/ctld.log
SlurmdLogFile={folder}/slurm/%n.log
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=n[1-2] CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=low Nodes=n[1-2] Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
PartitionName=high Nodes=n[1-2] MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
"""

START = """\
set -e
host=$1 folder=$2
hostname "$host"
mount --bind "$folder/slurm/hosts" /etc/hosts
mount -t tmpfs tmpfs /run
mkdir -p /run/keep /run/munge /run/code
mount --bind "$folder" /run/keep
mount --bind "$PWD" /run/code
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp
mkdir -p "$folder" "$PWD"
mount --move /run/keep "$folder"
mount --move /run/code "$PWD"
mount -t tmpfs tmpfs /dev/shm
mkdir -p /etc/slurm
chown munge /run/munge
runuser -u munge -- munged --key-file="$folder/slurm/munge.$host" --log-file=/run/munge/munged.log \\
    --seed-file=/run/munge/seed --pid-file=/run/munge/munged.pid
export SLURM_CONF="$folder/slurm/slurm.conf"
if [ "$host" = ctl ]; then exec slurmctld -D; fi
exec slurmd -D -N "$host"
"""


def missing() -> str | None:
    """Why there can be no such cluster here; None if there can."""
    if os.geteuid() != 0:
        return "namespaces need root"
    absent = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    return f"not installed: {', '.join(absent)}" if absent else None


class Slurm:
    """The cluster; its hosts see `folder` and the working folder, and no other part of /tmp."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._slurm = folder, folder / "slurm"
        self._name = f"ply{os.getpid()}"
        self._hosts: dict[str, subprocess.Popen[bytes]] = {}
        for place in ("state", "spool/n1", "spool/n2"):
            (self._slurm / place).mkdir(parents=True)
        (self._slurm / "slurm.conf").write_text(CONFIGURATION.format(folder=folder))
        names = "".join(f"{address} {host}\n" for host, address in HOSTS.items())
        (self._slurm / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
        (self._slurm / "start.sh").write_text(START)
        key = secrets.token_bytes(128)
        for host in HOSTS:
            file = self._slurm / f"munge.{host}"
            file.touch(mode=0o600)
            file.write_bytes(key)
            shutil.chown(file, "munge", "munge")
        self.environment = {**os.environ, "SLURM_CONF": str(self._slurm / "slurm.conf")}

    def __enter__(self) -> "Slurm":
        try:
            connect(self._name, HOSTS)
            for host in HOSTS:
                self.start(host)
            await_that(lambda: self.ask("sinfo", "-h", "-o", "%D %T").strip() == "2 idle", "SLURM's nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for host in list(self._hosts):
            self.kill(host)
        disconnect(self._name, HOSTS)

    def start(self, host: str) -> None:
        """Start a host, or start it again."""
        command = [
            "nsenter",
            f"--net=/run/netns/{self._name}-{host}",
            "unshare",
            "--pid",
            "--fork",
            "--mount",
        ]
        command += ["--uts", "--ipc", "--mount-proc", "--kill-child", "tini", "-s", "-g", "--", "bash"]
        log = (self._slurm / f"{host}.out").open("ab")
        with log:
            self._hosts[host] = subprocess.Popen(
                [*command, str(self._slurm / "start.sh"), host, str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
            )

    def kill(self, host: str) -> None:
        """End a host at once with all its processes, as if it lost its power."""
        process = self._hosts.pop(host)
        process.kill()
        process.wait()

    def ask(self, *command: str, cwd: Path | None = None, check: bool = False) -> str:
        """What a command says on the controller's host."""
        return self.on("ctl", *command, cwd=cwd, check=check).stdout

    def on(
        self, host: str, *command: str, cwd: Path | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host."""
        inside = Path(f"/proc/{self._hosts[host].pid}/task/{self._hosts[host].pid}/children")
        children = inside.read_text().split()
        if not children:
            return subprocess.CompletedProcess(command, 1, "", "the host is not there")
        return subprocess.run(
            ["nsenter", "-t", children[0], "-a", f"--wd={cwd or self.folder}", "--", *command],
            capture_output=True,
            text=True,
            env=self.environment,
            check=check,
        )

    def state(self, job: str) -> tuple[str, int]:
        """The state of a job, and how often it was started again."""
        said = self.ask("scontrol", "-o", "show", "job", job)
        fields = dict(one.split("=", 1) for one in said.split() if "=" in one)
        return fields.get("JobState", "GONE"), int(fields.get("Restarts", 0))

    def hasten(self, job: str) -> None:
        """Let a job that was put into the queue again begin at once: SLURM would wait for two minutes."""
        await_that(lambda: self.state(job)[0] == "PENDING", f"job {job} in the queue")
        with suppress(subprocess.CalledProcessError):
            self.ask("scontrol", "update", f"JobId={job}", "StartTime=now")


def polychrony(folder: Path, root: Path) -> Path:
    """A folder for PATH with programs `polychrony` and `ray` that run the code in `root`."""
    place = folder / "bin"
    place.mkdir()
    modules = {"polychrony": "service.cli import main", "ray": "ray.scripts.scripts import main"}
    for name, what in modules.items():
        text = (
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
            f"from {what}\nsys.exit(main())\n"
        )
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return place
