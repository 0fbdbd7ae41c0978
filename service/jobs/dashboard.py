"""The dashboard of a Ray cluster, through which jobs are sent and watched; what fails there, in words."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from service.errors import Fault, PolychronyError, SweepError, UserError
from service.jobs.job import REFUSED, Job, job_of, latest
from service.jobs.token import CURE, token_headers
from service.text import shortened

logger = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that the dashboard may take to answer."""
UPLOAD_PATIENCE = 120.0
SILENCE = 30.0
"""After so many seconds without a word of a job, its state is asked for."""
TALKATIVE = (
    "ray.dashboard.modules.job.sdk",
    "ray.dashboard.modules.dashboard_sdk",
    "ray._private.runtime_env.packaging",
)
"""Loggers that would say what we say."""
PAUSE = 1.0
"""Seconds between two attempts to take up a log whose connection broke."""
RECONNECTS = 5
"""How many attempts in a row may bring nothing new."""


class Client(Protocol):
    """What we need of Ray's client for jobs."""

    def submit_job(self, *, entrypoint: str, **options: Any) -> str:
        """Send a job; returns its name."""

    def stop_job(self, job_id: str) -> bool:
        """Ask a job to end."""

    def list_jobs(self) -> list[Any]:
        """All jobs that the cluster remembers."""

    def get_job_logs(self, job_id: str) -> str:
        """What a job has said so far."""

    def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        """What a job has said so far, and whatever it goes on to say."""

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes, as Ray's state API has them."""


@dataclass(frozen=True)
class Node:
    """A node of a cluster."""

    ip: str
    alive: bool
    head: bool
    cores: float


class Dashboard:
    """The dashboard at `address`. Every method raises PolychronyError if it can't be used, saying why."""

    def __init__(self, address: str, client: Client) -> None:
        self.address, self._client = address, client

    @classmethod
    def connect(cls, address: str) -> "Dashboard":
        """Connect to the dashboard at a URL.

        Raises:
            UserError: if it is no URL of a dashboard, or the token is missing or wrong.
            SweepError: if nothing answers there.
        """
        url = _url(address)
        with _in_words(url):
            return cls(url, _client(url))

    def jobs(self) -> list[Job]:
        """The jobs of sweeps that the cluster remembers."""
        with _in_words(self.address):
            return [job for details in self._client.list_jobs() if (job := job_of(details)) is not None]

    def job(self, name: str) -> Job:
        """A job by its name. Raises SweepError if the cluster has forgotten it."""
        found = next((job for job in self.jobs() if job.id == name), None)
        if found is None:
            raise SweepError(
                f"{self.address}: the cluster knows no job {name} any more: it was started anew, or the job "
                "was deleted; what is finished is in the sweep's folder, submit it again to go on"
            )
        return found

    def find(self, sweep: str, out: str | None) -> Job:
        """The last job of a sweep; `out` is needed only if several folders have one of that name.

        Raises UserError if there is none, or it is not clear which.
        """
        jobs = latest(self.jobs())
        found = [job for job in jobs if job.sweep == sweep and out in (None, job.out)]
        found = [job for job in found if job.exit != REFUSED] or found  # a wrong folder is no second sweep
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(job.out for job in found)
            raise UserError([Fault("--out", sweep, f"there is one in each of {places}; say which by --out")])
        known = ", ".join(dict.fromkeys(job.sweep for job in jobs))
        cure = f"sweeps there: {known}" if known else "there is none at all; submit one first"
        raise UserError([Fault("--address", self.address, f"no job has run {sweep} there; {cure}")])

    def submit(self, name: str, entrypoint: str, **options: Any) -> bool:
        """Send a job, with the options of Ray's client; False if there is one of that name already."""
        with _in_words(self.address):
            try:
                self._client.submit_job(entrypoint=entrypoint, submission_id=name, **options)
            except RuntimeError as error:
                if "already exists" not in str(error):
                    raise
                return False
        return True

    def stop(self, name: str, patience: float) -> Job:
        """Ask a job to end, and wait until it has. Raises SweepError if it takes more than `patience` (s)."""
        with _in_words(self.address):
            self._client.stop_job(name)
        until = time.monotonic() + patience
        while (job := self.job(name)).runs:
            if time.monotonic() > until:
                raise SweepError(f"job {name} was told to stop and still runs; ask `polychrony status` later")
            time.sleep(0.2)
        return job

    def log(self, name: str) -> str:
        """What a job has said so far."""
        with _in_words(self.address):
            return self._client.get_job_logs(name)

    def follow(self, name: str, write: Callable[[str], object]) -> Job:
        """Write what a job says, from its beginning to its end; returns how it ended.

        Raises:
            SweepError: if the cluster can't be reached any more.
            KeyboardInterrupt: passed on; the job goes on.
        """
        from aiohttp import ClientError

        said = _Said(write)
        broken = 0
        while True:
            before = said.length
            try:
                asyncio.run(self._tail(name, said))
            except BrokenPipeError:  # whoever reads what we write has gone
                raise
            except (ClientError, RuntimeError, OSError) as error:
                logger.debug("the log of %s: %s", name, error)
            job = self.job(name)
            if not job.runs:
                said.again(self.log(name))
                return job
            broken = broken + 1 if said.length == before else 0
            if broken > RECONNECTS:
                raise SweepError(f"{self.address}: the log of {name} can't be followed; the job goes on")
            time.sleep(PAUSE)

    async def _tail(self, name: str, said: "_Said") -> None:
        """One connection's worth of a job's log."""
        said.start()
        lines = self._client.tail_job_logs(name)
        coming = asyncio.ensure_future(anext(lines, None))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=SILENCE)
                if not done:
                    if not self.job(name).runs:
                        return
                    continue
                text = coming.result()
                if text is None:
                    return
                said.more(text)
                coming = asyncio.ensure_future(anext(lines, None))
        finally:
            coming.cancel()

    def nodes(self) -> list[Node]:
        """The nodes of the cluster, the head first."""
        with _in_words(self.address):
            found = self._client.nodes()
        nodes = [
            Node(
                one["node_ip"],
                one["state"] == "ALIVE",
                bool(one.get("is_head_node")),
                float((one.get("resources_total") or {}).get("CPU", 0)),
            )
            for one in found
        ]
        return sorted(nodes, key=lambda node: (not node.head, not node.alive, node.ip))


class _Said:
    """What was written of a log that may be read from its beginning again."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.length = 0  # characters written
        self._at = 0  # characters of this reading

    def start(self) -> None:
        """The log is read from its beginning."""
        self._at = 0

    def more(self, text: str) -> None:
        """Write the next piece of the log, less what was written before."""
        new = text[max(0, self.length - self._at) :]
        self._at += len(text)
        if new:
            self._write(new)
            self.length += len(new)

    def again(self, text: str) -> None:
        """Write what is new in a log that is given whole."""
        self.start()
        self.more(text)


def _url(address: str) -> str:
    """The address with its scheme, which may be left out if there is a port."""
    url = address if "://" in address else f"http://{address}"
    parts = urlsplit(url)
    try:
        well = parts.scheme in ("http", "https") and parts.hostname and (parts.port or url == address)
    except ValueError:  # the port is no number
        well = False
    if not well:
        fault = "is no URL of a cluster's dashboard; give one such as http://127.0.0.1:8265"
        raise UserError([Fault("--address", address, fault)])
    return url.rstrip("/")


def _client(url: str) -> Client:
    from service.execution._ray_internals import PatientJobClient

    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    with _without("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        return cast(Client, PatientJobClient(url, token_headers(), PATIENCE, UPLOAD_PATIENCE))


@contextmanager
def _without(*variables: str) -> Iterator[None]:
    """Ray's client would take these for the address, whatever it is given."""
    kept = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def _in_words(url: str) -> Iterator[None]:
    """What Ray's client raises, as an error of ours."""
    import requests
    from ray.exceptions import AuthenticationError

    try:
        yield
    except PolychronyError:
        raise
    except AuthenticationError as error:
        wrong = "Invalid" in str(error)
        fault = "the cluster does not know our token" if wrong else "the cluster wants a token"
        raise UserError([Fault("--address", url, f"{fault}; {CURE}")]) from None
    except requests.Timeout as error:
        raise SweepError(f"{url}: the cluster did not answer in time; try again later") from error
    except (requests.ConnectionError, ConnectionError) as error:
        raise SweepError(
            f"{url}: no Ray dashboard answers there; see that the cluster runs, that its head has "
            "`polychrony[cluster]` installed and serves its dashboard there, and that we may reach it"
        ) from error
    except (requests.RequestException, RuntimeError, ValueError, KeyError, TypeError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise SweepError(f"{url}: the cluster could not do it: {shortened(said[0])}") from error
