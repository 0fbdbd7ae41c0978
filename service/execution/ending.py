"""How this process leaves Ray, so that nothing of it touches Ray on its way down.

Ray ends the process with exit code 1, in the middle of whatever it does, if a reference to one of its
objects is let go of while its core goes down ("The core worker has already been shutdown"). Tune leaves its
controller behind in cycles, with such references. Only the garbage collector finds cycles, and it runs
whenever it likes, in any thread that happens to make objects: while Ray goes down that is one that draws,
or logs to MLflow.
"""

import gc
import logging
import threading
import time
from typing import Any

import ray

from service.execution.signals import signals_held

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that a collection of another thread may take; Ray may be asked for something in it."""


def leave_ray() -> None:
    """Shut Ray down. What is garbage by then is collected before, and no collection begins until Ray is gone.

    A signal that arrives meanwhile waits: half gone, Ray could be touched by whatever comes after it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        with signals_held():
            if not collect(PATIENCE):
                logger.warning("Ray is shut down while another thread still collects garbage")
            ray.shutdown()
    finally:
        if enabled:
            gc.enable()


def collect(patience: float) -> bool:
    """Collect all garbage; False if another thread was still collecting after `patience` seconds.

    While it is, and lets others run meanwhile, `gc.collect` returns at once and has done nothing.
    """
    ours: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and threading.get_ident() == this:
            ours.append(info["generation"])

    this, until = threading.get_ident(), time.monotonic() + patience
    gc.callbacks.append(note)
    try:
        gc.collect()
        while 2 not in ours and time.monotonic() < until:
            time.sleep(0.01)
            gc.collect()
    finally:
        gc.callbacks.remove(note)
    return 2 in ours
