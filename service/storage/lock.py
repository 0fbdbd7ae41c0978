"""One driver a sweep: whoever conducts or deletes a sweep holds its folder against all others.

On a local or shared folder that is a lock of the operating system's; on an object store, which has none, a
lease.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writable = folder
            if isinstance(folder, ObjectPath):
                lease = Lease(folder)
                lease.acquire()
                held.callback(lease.release)
                writable = lease.folder
            else:
                lock = FileLock(folder / LOCK, timeout=LOCK_SECONDS)
                lock.acquire()
                held.callback(lock.release)
                (folder / DRIVER).write_bytes(this_owner())
        except Timeout as error:
            raise HeldError(f"{folder}: another process runs this sweep; wait for it, or stop it") from error
        except OSError as error:
            fault = f"can't be written ({error.strerror}); choose a folder that can"
            raise UserError([Fault("--out", str(folder), fault)]) from error
        yield writable


def is_running(folder: StoragePath) -> bool:
    """Whether a driver holds the sweep in `folder`; for show only, it may end at any moment."""
    if isinstance(folder, ObjectPath):
        return is_leased(folder)
    try:
        lock_file = os.open(folder / LOCK, os.O_RDONLY)  # the sweep may be another user's
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock_file)  # and with it our lock
    return False


def owner_files(folder: StoragePath) -> list[StoragePath]:
    """Files that tell who holds the sweep in `folder`, or held it last."""
    if isinstance(folder, ObjectPath):
        return list_folder(folder / LOCK)
    return [folder / DRIVER]
