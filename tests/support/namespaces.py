"""Hosts of our own on this machine: namespaces with a network, processes, a name and a /tmp of their own.

Needs root and Debian's packages iproute2 and tini.
"""

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

START = """\
set -e
hostname "$1"
mount --make-rprivate /
mkdir "$2/etc"
mount -t tmpfs tmpfs "$2/etc"
cp -a /etc/. "$2/etc"
cp "$2/names" "$2/etc/hosts"
mount --bind "$2/etc" /etc
mount -t tmpfs tmpfs /run
"""


class Hosts:
    """Hosts that know each other by name; each runs a script, and sees of /tmp only the folders given."""

    def __init__(self, folder: Path, names: Sequence[str], seen: Iterable[Path]) -> None:
        self.folder, self._names, self._seen = folder, names, [Path(one) for one in seen]
        self._prefix = f"plh{os.getpid()}"
        self._hosts: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir()

    def address(self, name: str) -> str:
        """The address of a host."""
        return f"10.78.0.{self._names.index(name) + 1}"

    def __enter__(self) -> "Hosts":
        connect(self._prefix, {name: self.address(name) for name in self._names})
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._hosts.values():
            process.kill()
            process.wait()
        disconnect(self._prefix, self._names)

    def start(self, name: str, script: str, environment: dict[str, str]) -> None:
        """Run a script of bash's on a host; what it says goes to NAME.log in the folder."""
        place = self.folder / name
        place.mkdir()
        lines = "".join(f"{self.address(one)} {one}\n" for one in self._names)
        (place / "names").write_text(f"127.0.0.1 localhost\n{lines}")
        keep = [
            f'mkdir -p /run/keep/{n}; mount --bind "{one}" /run/keep/{n}' for n, one in enumerate(self._seen)
        ]
        give = [f'mkdir -p "{one}"; mount --move /run/keep/{n} "{one}"' for n, one in enumerate(self._seen)]
        begin = [
            *keep,
            "mount -t tmpfs tmpfs /tmp",
            "chmod 1777 /tmp",
            *give,
            "mount -t tmpfs tmpfs /dev/shm",
        ]
        (place / "start.sh").write_text(START + "\n".join(begin) + "\n" + script + "\n")
        command = [
            "nsenter",
            f"--net=/run/netns/{self._prefix}-{name}",
            "unshare",
            "--pid",
            "--fork",
            "--mount",
        ]
        command += ["--uts", "--ipc", "--mount-proc", "--kill-child", "tini", "-s", "-g", "--", "bash"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self._hosts[name] = subprocess.Popen(
                [*command, str(place / "start.sh"), name, str(place)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            )  # fmt: skip

    def on(
        self, name: str, *command: str, environment: dict[str, str], cwd: Path
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command on a host that runs something."""
        process = self._hosts[name].pid
        inside = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if not inside:
            return subprocess.CompletedProcess(command, 1, "", "the host is not there")
        return subprocess.run(
            ["nsenter", "-t", inside[0], "-a", f"--wd={cwd}", "--", *command],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip


def connect(prefix: str, addresses: dict[str, str]) -> None:
    """Make a network for each host, called PREFIX-HOST, and a switch that joins them."""

    def ip(*command: str) -> None:
        subprocess.run(["ip", *command], check=True, capture_output=True)

    switch = f"{prefix}-sw"
    ip("netns", "add", switch)
    ip("-n", switch, "link", "add", "br0", "type", "bridge")
    ip("-n", switch, "link", "set", "br0", "up")
    for host, address in addresses.items():
        space = f"{prefix}-{host}"
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
        ip("link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", host, "netns", switch)
        ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", switch, "link", "set", host, "master", "br0")
        ip("-n", switch, "link", "set", host, "up")


def disconnect(prefix: str, hosts: Iterable[str]) -> None:
    """Remove those networks."""
    for host in [*hosts, "sw"]:
        subprocess.run(["ip", "netns", "del", f"{prefix}-{host}"], check=False, capture_output=True)
