"""A cluster as its dashboard would show it, and what is sent to it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

URL = "http://127.0.0.1:1"


OUT = "/shared/runs"


class Cluster:
    """A double of Ray's client, with the cluster behind it."""

    def __init__(self) -> None:
        self.details: list[Any] = []
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}
        self.pieces: list[str | Exception] = ["small: 3 trials.\n", "[1/3] trial 0 complete\n"]
        self.end: tuple[str, int | None, str] = ("SUCCEEDED", 0, "")
        self.taken: set[str] = set()

    def submit_job(self, *, entrypoint: str, **options: Any) -> str:
        name: str = options["submission_id"]
        if name in self.taken:
            raise RuntimeError(f"Request failed with status code 500: Job {name} already exists.")
        self.sent.append({"entrypoint": entrypoint, **options})
        folder = Path(options["runtime_env"]["working_dir"])
        self.files = {path.name: path.read_text() for path in folder.iterdir()}
        self.add(name, "RUNNING", options["metadata"])
        return name

    def add(self, name: str, state: str, metadata: dict[str, str], **more: Any) -> None:
        fields = {"driver_exit_code": None, "message": "", "end_time": None}
        started = 1000 * (time.time() - 100 + len(self.details))
        self.taken.add(name)
        self.details.append(
            SimpleNamespace(
                submission_id=name, status=state, metadata=metadata, start_time=started, **(fields | more)
            )
        )

    def finish(self) -> None:
        state, code, message = self.end
        vars(self.details[-1]).update(
            status=state, driver_exit_code=code, message=message, end_time=1000 * time.time()
        )

    def stop_job(self, job_id: str) -> bool:
        self.end = ("STOPPED", None, "")
        self.finish()
        return True

    def list_jobs(self) -> list[Any]:
        return self.details

    def get_job_logs(self, job_id: str) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        for number, piece in enumerate(self.pieces):
            if isinstance(piece, BaseException):
                del self.pieces[number]
                raise piece
            yield piece
        self.finish()

    def nodes(self) -> list[dict[str, Any]]:
        node = {"node_ip": "10.0.0.2", "state": "ALIVE", "resources_total": {"CPU": 8.0}}
        head = {
            "node_ip": "10.0.0.1",
            "state": "ALIVE",
            "is_head_node": True,
            "resources_total": {"CPU": 4.0},
        }
        return [node, head, {"node_ip": "10.0.0.3", "state": "DEAD", "resources_total": None}]


def one_line(console: Console) -> str:
    return " ".join(console.export_text().split())


def of_sweep(out: str = OUT, asked: str = "") -> dict[str, str]:
    return {"polychrony.sweep": "small", "polychrony.out": out, "polychrony.asked": asked}
