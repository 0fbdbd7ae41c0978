"""Every name of Ray's that is not promised to stay: of Tune's controller and trials, and of the job client.

Each has a test of its own, so that a version of Ray that renames one is found by that test and not by a user.
pyproject holds ray below the first minor version that was not tested.
"""

import os
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import PickleError
from typing import Any

import ray
from ray import cloudpickle
from ray._private import auto_init_hook
from ray._private.node import Node
from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]
from ray.job_submission import JobSubmissionClient
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.progress_reporter import TrialProgressCallback

TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # they would double the cost; the record has it all
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Tune's state is never read
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt is ours to handle
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # reasons are in the record
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",  # the searcher limits them
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_V2_ENABLED": "0",
}
"""Environment variables by which Tune leaves alone what is ours to do."""

ProgressCallback = TrialProgressCallback
"""A callback of this class takes the place of Tune's own, which keeps all trials and results in words."""


TOKEN = "RAY_AUTH_TOKEN"


@contextmanager
def own_token() -> Iterator[None]:
    """A token for a Ray of this process's own, in the environment that Ray's processes inherit.

    Ray would look for one in the user's home, and write one there, where it often can't be written.
    """
    kept = os.environ.get(TOKEN)
    os.environ[TOKEN] = secrets.token_hex(32)
    AuthenticationTokenLoader.instance().reset_cache()
    try:
        yield
    finally:
        os.environ.pop(TOKEN)
        if kept is not None:
            os.environ[TOKEN] = kept
        AuthenticationTokenLoader.instance().reset_cache()


TOO_SLOW = "timed out during startup"
"""What Ray says where its own processes were not there within 30 s, a limit that can't be set."""
STARTS = 5


def start_ray(**settings: Any) -> None:
    """`ray.init(**settings)`, up to STARTS times where the machine is too busy for Ray's limit.

    Raises what `ray.init` raises, an Exception of no other class for the last start that took too long.
    """
    for left in reversed(range(STARTS)):
        try:
            ray.init(**settings)
            return
        except Exception as error:
            if TOO_SLOW not in str(error):
                raise
            _end_processes(error)
            if not left:
                raise


def _end_processes(error: Exception) -> None:
    """End what the node has started whose start failed by `error`: Ray leaves it running."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        node = frame.f_locals.get("self")
        if isinstance(node, Node):
            node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
            return


def never_start_ray_unasked() -> None:
    """Whoever asks Ray for something while it is not there gets an error.

    Left alone, Ray would start another one, for a thread that still asks it or for what Tune has left.
    """
    auto_init_hook.enable_auto_connect = False


def forget_ended(wrapped: Any) -> None:
    """Have Tune's controller let go of the trials that ended; the record has them.

    It keeps all it ever ran, and the course of every metric of each: 40 KB a trial, and a look at each of
    them in every step of its loop. Without these names it would only go on keeping.
    """
    controller = getattr(wrapped, "_tune_controller", wrapped)
    for trial in [one for one in controller.get_trials() if one.is_finished()]:
        controller.get_trials().remove(trial)
        for name in ("_stopped_trials", "_failed_trials", "_live_trials", "_trials_to_cache"):
            getattr(controller, name, set()).discard(trial)


def allow_losses(trial: TuneTrial, more: int) -> None:
    """Let Tune place a trial again after so many more losses of its worker."""
    trial.max_failures = trial.num_failures + more


def kill_worker(trial: TuneTrial) -> None:
    """End the worker of a trial that does not answer, for good."""
    trial.max_failures = 0
    if trial.temporary_state.ray_actor is not None:
        ray.kill(trial.temporary_state.ray_actor)


def error_of(trial: TuneTrial) -> BaseException | None:
    """What ended a trial. Tune's own getter looks where the file has not arrived yet."""
    try:
        error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    except (OSError, EOFError, TypeError, ValueError, AttributeError, PickleError):
        return None
    return error


class PatientJobClient(JobSubmissionClient):
    """Ray's client for jobs, which would wait for an answer for ever."""

    def __init__(self, url: str, headers: dict[str, str], patience: float, upload_patience: float) -> None:
        """Args: the dashboard's URL; headers; seconds that it may take to answer, and to take code."""
        self._patience, self._upload_patience = patience, upload_patience
        super().__init__(url, headers=headers)

    def _do_request(self, method: str, endpoint: str, **options: Any) -> Any:
        timeout = self._upload_patience if method == "PUT" else self._patience
        return super()._do_request(method, endpoint, timeout=timeout, **options)

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of the cluster, as Ray's state API has them."""
        answer = self._do_request("GET", "/api/v0/nodes")
        if answer.status_code != 200:
            self._raise_error(answer)
        found: list[dict[str, Any]] = answer.json()["data"]["result"]["result"]
        return found
