"""`polychrony delete`: sweeps with all that is recorded of them, here and in MLflow."""

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console

from service.errors import HeldError, SweepError
from service.results.sweep import Sweep
from service.storage.layout import LOCK, sweep_file
from service.storage.lock import sweep_lock
from service.storage.paths import ObjectPath, StoragePath
from service.tracking.removal import remove_runs


def delete(sweeps: Sequence[Sweep], console: Console) -> None:
    """Delete sweeps: their runs in MLflow, then their folders.

    Raises:
        SweepError: if one of them runs (nothing is deleted then), or MLflow or a folder can't be changed.
    """
    with ExitStack() as stack:
        folders = [_locked(sweep, stack) for sweep in sweeps]
        for sweep, folder in zip(sweeps, folders, strict=True):
            runs = remove_runs(sweep.folder.parent, sweep.folder, _store_asked_for(sweep))
            _remove_folder(folder)
            console.print(f"{sweep.name}: deleted, with {runs} runs in MLflow", highlight=False)


def _locked(sweep: Sweep, stack: ExitStack) -> StoragePath:
    """Keep drivers off a sweep; returns its folder, to be changed as long as they are kept off."""
    try:
        return stack.enter_context(sweep_lock(sweep.folder))
    except HeldError as error:
        raise SweepError(f"{sweep.name} is running; stop it first (nothing was deleted)") from error


def _store_asked_for(sweep: Sweep) -> str | None:
    """The sweep's own MLflow store; a sweep whose file is damaged can be deleted, too."""
    try:
        return sweep.spec.mlflow.uri
    except SweepError:
        return None


def _remove_folder(folder: StoragePath) -> None:
    """Remove a sweep's folder; what a kill leaves of it is no sweep any more."""
    try:
        if isinstance(folder, ObjectPath):
            sweep_file(folder).unlink(missing_ok=True)
            for one in sorted(folder.iterdir(), key=lambda one: one.name == LOCK):  # the lease last
                one.remove_all()
        else:
            doomed = folder.with_name(f".{folder.name}.deleted.{os.getpid()}")
            folder.rename(doomed)
            shutil.rmtree(doomed)
    except OSError as error:
        raise SweepError(
            f"{error.filename}: can't be removed ({error.strerror}); remove it by hand"
        ) from error
