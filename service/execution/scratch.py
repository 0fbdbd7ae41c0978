"""What Ray and Tune write beside a sweep, in a folder of this machine that nobody needs afterwards."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.errors import Fault, UserError
from service.storage.process import gone, process_of

PREFIX = "ply"
OWNER = "driver.json"
SOCKET_BYTES = 107
"""The path of a Unix socket may be no longer."""
BELOW = f"/{PREFIX}12345678/ray/session_2026-01-31_12-00-00_000000_1234567/sockets/plasma_store.1"
"""What stands in front of the longest of Ray's sockets."""
ROOM = SOCKET_BYTES - len(BELOW)
SHORT = ("/tmp", "/var/tmp", "/dev/shm")
PROBE = bytes(1 << 16)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for as long as the block runs; those of processes that were killed are removed first."""
    for place in _places():
        _remove_left(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch_place()))
    (folder / OWNER).write_text(json.dumps(process_of()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_place() -> Path:
    """The folder for temporary files, or another one if that is too long for Ray's sockets.

    Batch systems give each job a folder of its own, whose path is long.

    Raises UserError if none can be written.
    """
    for place in _places():
        with suppress(OSError), tempfile.TemporaryFile(dir=place) as file:
            file.write(PROBE)
            file.flush()
            return place
    fault = (
        f"is no place for Ray, nor is any of {', '.join(SHORT)}: free some space there or make one writable, "
        f"or name a folder of this machine by TMPDIR, with a path of {ROOM} bytes at most"
    )
    raise UserError([Fault("TMPDIR", os.environ.get("TMPDIR") or "not set", fault)])


def _places() -> list[Path]:
    """Folders whose paths leave room for Ray's sockets, the best first."""
    places = [*SHORT, os.environ.get("XDG_RUNTIME_DIR", "")]
    with suppress(FileNotFoundError):  # it knows none that can be written
        places.insert(0, tempfile.gettempdir())
    return [Path(one) for one in places if one.startswith("/") and len(os.fsencode(one)) <= ROOM]


def _remove_left(place: Path) -> None:
    for owner in place.glob(f"{PREFIX}*/{OWNER}"):
        try:
            process = json.loads(owner.read_bytes())
        except (OSError, ValueError):  # being made, or being removed
            continue
        if gone(process):
            shutil.rmtree(owner.parent, ignore_errors=True)
