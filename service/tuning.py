"""The conductor's trials on Ray Tune.

Tune places trials on the cluster, keeps actors alive between them and replaces those that die. It decides
nothing: its searcher and its scheduler only pass on what the conductor says, and its own state is thrown
away. A trial that is placed again goes on from its checkpoint in the sweep's folder.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from pickle import PickleError
from typing import Any, Protocol, TypeVar

import ray
from ray import cloudpickle, tune
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.tune.error import TuneError
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from service.conductor import Conductor
from service.errors import SweepError
from service.trial import Report, Task, Trial

logger = logging.getLogger(__name__)

PATIENCE = 0.02
"""How long a suggestion may hold up results (s); one that takes longer is awaited beside them."""
REPORT, TASK = "report", "task"

ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # they would double the cost; the record has it all
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Tune's state is never read
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt is ours to handle
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # reasons are in the record
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_V2_ENABLED": "0",
}


class Advancing(Protocol):
    """A trial as Tune runs it."""

    def advance(self) -> Report:
        """Train for one epoch, and report."""


Begin = Callable[[Task], Advancing]
"""Makes the trial of a task, in the worker."""


def begin_training(task: Task) -> Trial:
    """The trial of a task; its tensors keep to the cores that it has."""
    import torch

    torch.set_num_threads(task.threads)
    return Trial(task)


class TrialActor(tune.Trainable):
    """Runs one trial after another in one process."""

    def setup(self, config: dict[str, Any], begin: Begin = begin_training) -> None:
        """Start on the task in `config`."""
        self._begin = begin
        self._trial = begin(config[TASK])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start on another task."""
        self._trial = self._begin(new_config[TASK])
        return True

    def step(self) -> dict[str, Any]:
        """One epoch. The report is one opaque value, so that Tune does not take it apart.

        It is never marked `done`: Tune would end the trial without asking the scheduler.
        """
        return {REPORT: self._trial.advance()}


T = TypeVar("T")


class _Line:
    """The line from Tune's callbacks to the conductor.

    Left out of the state that Tune stores and we never read; the conductor could not be pickled.
    """

    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor
        self.fault: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def call(self, act: Callable[[Conductor], T]) -> T:
        """Have the conductor act. What it raises is kept, for Tune wraps it in an error of its own."""
        try:
            return act(self.conductor)
        except Exception as error:
            self.fault = error
            raise


class _Searcher(Searcher):
    """Asks the conductor what to run."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def suggest(self, trial_id: str) -> Any:
        task = self._line.call(lambda conductor: conductor.next_task())
        if task is not None:
            return {TASK: task}
        # None: Tune asks again, after it has looked for results.
        return Searcher.FINISHED if self._line.call(lambda conductor: conductor.agenda.over) else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """The conductor knows already: the report said so, or `_Watcher` did."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the record decides."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


class _Scheduler(FIFOScheduler):
    """Hands reports to the conductor, who says whether the trial goes on."""

    def __init__(self, line: _Line) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._line = line

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        report: Report = result[REPORT]
        goes_on = self._line.call(lambda conductor: conductor.take(report))
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)


class _Watcher(tune.Callback):
    """Sees trials whose worker is lost for good, and frees what was recorded."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._live: dict[int, TuneTrial] = {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        number = trial.config[TASK].trial
        self._live[number] = trial
        self._line.call(lambda conductor: conductor.placed(number))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        self._live.pop(trial.config[TASK].trial, None)

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: TuneTrial, result: Any, **info: Any
    ) -> None:
        result.pop(REPORT, None)  # Tune would keep the rows in memory

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self._line.call(lambda conductor: conductor.record.poll())
        for number in self._line.call(lambda conductor: conductor.time_out()):
            self._kill(self._live[number])

    def _kill(self, trial: TuneTrial) -> None:
        """End the worker of a trial that does not answer; it is recorded already, and not taken up again."""
        trial.max_failures = 0
        if trial.temporary_state.ray_actor is not None:
            ray.kill(trial.temporary_state.ray_actor)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        logger.warning("trial %d: its worker died; it is taken up again", trial.config[TASK].trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        number, reason = trial.config[TASK].trial, loss_in_words(_error_of(trial))
        self._live.pop(number, None)
        self._line.call(lambda conductor: conductor.lost(number, reason))


def _error_of(trial: TuneTrial) -> BaseException | None:
    """What ended a trial. Tune's own getter looks where the file has not arrived yet."""
    try:
        error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    except (OSError, EOFError, TypeError, ValueError, AttributeError, PickleError):
        return None
    return error


def loss_in_words(error: BaseException | None) -> str:
    """Why a worker was lost, in a line."""
    if isinstance(error, OutOfMemoryError):
        return "out of memory: the node's memory ran low and its worker was killed; run fewer at once"
    if isinstance(error, RayActorError):
        return "lost: its worker or node died, and no retry is left"
    return f"lost: {error}".partition("\n")[0] if error else "lost: its worker or node died"


def run_on_ray(conductor: Conductor, begin: Begin = begin_training) -> None:
    """Run the conductor's trials to the end, on a Ray of this process's own.

    Args:
        conductor: of the sweep.
        begin: makes trials.

    Raises:
        SweepError: if Ray can't be started, or the record can't be written.
        KeyboardInterrupt: passed on; what was recorded is kept.
    """
    os.environ.update(ENVIRONMENT)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # it shows tracebacks of what we say in a line
    # Short: the path of a Unix socket may have 107 characters.
    scratch = Path(tempfile.mkdtemp(prefix="ply"))
    try:
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=str(scratch / "ray"),
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise SweepError(f"Ray could not be started: {error}") from error
        _fit(conductor, scratch / "tune", begin)
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _fit(conductor: Conductor, storage: Path, begin: Begin) -> None:
    line = _Line(conductor)
    conductor.agenda.patience = PATIENCE
    try:
        _tuner(line, storage, begin).fit()
    except TuneError as error:
        raise line.fault or SweepError(f"Ray Tune gave up: {error}") from None
    if not conductor.agenda.over:
        raise SweepError(
            f"Ray Tune ended after {conductor.finished} trials, before the sweep was over; run the same "
            "command again to go on"
        )


def _tuner(line: _Line, storage: Path, begin: Begin) -> tune.Tuner:
    resources = line.conductor.spec.resources
    concurrent = resources.at_once(int(ray.cluster_resources().get("CPU", 1)))
    return tune.Tuner(
        tune.with_resources(tune.with_parameters(TrialActor, begin=begin), {"cpu": resources.cpus}),
        tune_config=tune.TuneConfig(
            search_alg=_Searcher(line),
            scheduler=_Scheduler(line),
            num_samples=-1,
            max_concurrent_trials=concurrent,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(storage),
            failure_config=tune.FailureConfig(max_failures=resources.retries),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[_Watcher(line)],
            verbose=0,
        ),
    )
