"""One driver a sweep: whoever conducts or deletes a sweep holds its folder against all others.

On a local or shared folder that is a lock of the operating system's; on an object store, which has none, a
lease.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from service.errors import Fault, HeldError, UserError
from service.storage.layout import DRIVER, LOCK
from service.storage.lease import Lease, is_leased
from service.storage.paths import ObjectPath, StoragePath, list_folder
from service.storage.process import this_owner

LOCK_SECONDS = 1.0
"""Longer than `polychrony list` holds a sweep to see whether it runs."""


@contextmanager
def sweep_lock(folder: StoragePath) -> Iterator[StoragePath]:
    """Make the sweep's folder and hold it against other processes; gives the folder to write to.

    Raises:
        HeldError: if another process holds it.
        UserError: if the folder can't be written.
    """
    lock: FileLock | Lease
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(folder, ObjectPath):
            lock = Lease(folder)
        else:
            lock = FileLock(folder / LOCK, timeout=LOCK_SECONDS)
        lock.acquire()
        if isinstance(folder, Path):
            (folder / DRIVER).write_bytes(this_owner())
    except Timeout as error:
        raise HeldError(f"{folder}: another process runs this sweep; wait for it, or stop it") from error
    except OSError as error:
        fault = f"can't be written ({error.strerror}); choose a folder that can"
        raise UserError([Fault("--out", str(folder), fault)]) from error
    try:
        yield lock.folder if isinstance(lock, Lease) else folder
    finally:
        lock.release()


def is_running(folder: StoragePath) -> bool:
    """Whether a driver holds the sweep in `folder`; for show only, it may end at any moment."""
    if isinstance(folder, ObjectPath):
        return is_leased(folder)
    lock_file = folder / LOCK
    if not lock_file.exists():
        return False
    try:
        with FileLock(lock_file, blocking=False):
            return False
    except Timeout:
        return True


def owner_files(folder: StoragePath) -> list[StoragePath]:
    """Files that tell who holds the sweep in `folder`, or held it last."""
    if isinstance(folder, ObjectPath):
        return list_folder(folder / LOCK)
    return [folder / DRIVER]
