"""Conditional puts on Google Cloud Storage, by its JSON interface: `ifGenerationMatch`.

google-auth finds logins where pyarrow does: GOOGLE_APPLICATION_CREDENTIALS, those of gcloud, that of the
machine. Which server it is, is taken from what pyarrow has opened.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from service.errors import Fault, UserError
from service.storage.conditional.file import TIMEOUT, Stored, age
from service.storage.paths import ObjectPath

if TYPE_CHECKING:
    from requests import Response, Session

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
ABSENT, REFUSED, BUSY = 404, 412, (429, 500, 502, 503, 504)
"""Answers: there is none; the condition does not hold; try again (a file may be put once a second)."""


class GsFile:
    """A file on Google Cloud Storage that is put on a condition."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        bucket, _, self._key = path.key.partition("/")
        self._files = f"storage/v1/b/{bucket}/o"

    def read(self) -> Stored | None:
        """The file; None if there is none."""
        place = f"{self._files}/{quote(self._key, safe='')}"
        while True:
            about = self._ask("GET", place)
            if about.status_code == ABSENT:
                return None
            found, now = self._ok(about).json(), about.headers.get("Date")
            content = self._ask("GET", place, {"alt": "media", "generation": found["generation"]})
            if content.status_code != ABSENT:  # else it was replaced in between
                since = age(datetime.fromisoformat(found["updated"]), now)
                return Stored(self._ok(content).content, found["generation"], since)

    def put(self, content: bytes, tag: str | None) -> str | None:
        """Make the file, or replace the version `tag`; returns the new tag, or None if that was refused."""
        options = {"uploadType": "media", "name": self._key, "ifGenerationMatch": tag or "0"}
        done = self._ask("POST", f"upload/{self._files}", options, content)
        return None if done.status_code == REFUSED else str(self._ok(done).json()["generation"])

    def _ask(
        self, method: str, place: str, options: dict[str, str] | None = None, content: bytes | None = None
    ) -> "Response":
        opened = self._path.options
        # In pyarrow the environment goes before the URL.
        endpoint = os.environ.get("CLOUD_STORAGE_EMULATOR_ENDPOINT") or opened["endpoint_override"]
        endpoint = endpoint or "storage.googleapis.com"
        if "://" not in endpoint:
            endpoint = f"{opened['scheme']}://{endpoint}"
        with self._named():
            session = _session(opened["anonymous"])
            return session.request(
                method, f"{endpoint}/{place}", params=options, data=content, timeout=TIMEOUT
            )

    def _ok(self, answer: "Response") -> "Response":
        """The answer, or OSError with what it says."""
        with self._named():
            answer.raise_for_status()
        return answer

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors of the clients as those of the system."""
        try:
            from google.auth.exceptions import GoogleAuthError
            from requests import RequestException

            try:
                yield
            except (GoogleAuthError, RequestException) as error:
                _session.cache_clear()  # a login from a file may have been replaced there
                raise OSError(errno.EIO, str(error).partition("\n")[0], str(self._path)) from error
        except ModuleNotFoundError as error:
            fault = f"needs {error.name}, which is not installed; `pip install 'google-auth[requests]'`"
            raise UserError([Fault("--out", str(self._path), fault)]) from error


@lru_cache(maxsize=2)
def _session(anonymous: bool) -> "Session":
    import google.auth
    from google.auth.transport.requests import AuthorizedSession
    from requests import Session
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    session = Session() if anonymous else AuthorizedSession(google.auth.default(scopes=[SCOPE])[0])
    again = Retry(2, backoff_factor=0.75, status_forcelist=BUSY, allowed_methods=None)
    again.raise_on_status = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session
