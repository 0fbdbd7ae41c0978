"""Files that are needed in two folders, but need not lie on the disk twice."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from service.storage.paths import StoragePath


def put_all(files: Mapping[str, bytes | StoragePath], folder: Path) -> None:
    """Put files into a local folder by name, which may have folders in it; one of the same name is replaced.

    A file that lies in a local folder gets a second name (a hard link); where the file system can't do that,
    as from one disk to another, and for files from elsewhere, it is a copy. Neither name knows of the other:
    whoever removes one, or replaces it by `write_whole`, leaves the other as it is.
    """
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if isinstance(content, Path):
            with suppress(OSError):
                os.link(content, target)
                continue
        target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
