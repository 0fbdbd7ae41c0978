"""What Ray and Tune write beside a sweep, in a folder of this machine that nobody needs afterwards."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.storage.process import gone, process_of

PREFIX = "ply"
"""Short: the path of a Unix socket may have 107 characters."""
OWNER = "driver.json"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for as long as the block runs; those of processes that were killed are removed first."""
    _remove_left()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    (folder / OWNER).write_text(json.dumps(process_of()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left() -> None:
    for owner in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}"):
        try:
            process = json.loads(owner.read_bytes())
        except (OSError, ValueError):  # being made, or being removed
            continue
        if gone(process):
            shutil.rmtree(owner.parent, ignore_errors=True)
