"""The controller's trials on Ray Tune.

Tune places trials on the cluster, keeps actors alive between them and replaces those that die. It decides
nothing: its searcher and its scheduler only pass on what the controller says, and its own state is thrown
away. A trial that is placed again goes on from its checkpoint in the sweep's folder.
"""

import logging
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ray import tune
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.tune.error import TuneError
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from service.control.controller import SweepController
from service.errors import SweepError
from service.execution._ray_internals import (
    TUNE_SETTINGS,
    ProgressCallback,
    allow_losses,
    error_of,
    forget_ended,
    kill_worker,
    never_start_ray_unasked,
)
from service.execution.cluster import ClusterMonitor, connected_ray, local_ray, monitored, unseen
from service.execution.scratch import scratch_folder
from service.execution.signals import install_signal_handlers
from service.importing import importing
from service.storage.layout import sweep_file
from service.worker.task import Report, Task

logger = logging.getLogger(__name__)

PATIENCE = 0.02
"""How long a suggestion may hold up results (s); one that takes longer is awaited beside them."""
REPORT, TASK = "report", "task"


class TrialRunner(Protocol):
    """A trial as Tune runs it."""

    def advance(self) -> Report:
        """Train for one epoch, and report."""


TrialFactory = Callable[[Task], TrialRunner]
"""Makes the trial of a task, in the worker."""


def begin_training(task: Task) -> TrialRunner:
    """The trial of a task."""
    with importing():
        from service.worker.trial import Trial  # in workers alone: the driver need not wait for torch

    if not sweep_file(task.folder).exists():
        return _FolderNotSeen(task)
    return Trial(task)


class _FolderNotSeen:
    """In place of a trial on a node that came later and does not see the sweep's folder."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def advance(self) -> Report:
        return Report(self._task.trial, 0, {}, halt=f"node {platform.node()}: {unseen(self._task.folder)}")


class TrialActor(tune.Trainable):
    """Runs one trial after another in one process."""

    def setup(self, config: dict[str, Any], factory: TrialFactory = begin_training) -> None:
        """Start on the task in `config`."""
        self._factory = factory
        self._trial = factory(config[TASK])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start on another task."""
        self._trial = self._factory(new_config[TASK])
        return True

    def step(self) -> dict[str, Any]:
        """One epoch. The report is one opaque value, so that Tune does not take it apart.

        It is never marked `done`: Tune would end the trial without asking the scheduler.
        """
        return {REPORT: self._trial.advance()}


T = TypeVar("T")


class _Bridge:
    """The line from Tune's callbacks to the controller.

    Left out of the state that Tune stores and we never read; the controller could not be pickled.
    """

    def __init__(self, controller: SweepController, monitor: ClusterMonitor) -> None:
        self.controller, self.monitor = controller, monitor
        self.fault: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def places(self) -> int:
        """How many trials may run at once; nodes come and go, and at the moment there may be none."""
        try:
            return self.controller.spec.resources.at_once(*self.monitor.cores)
        except SweepError:
            return 0

    def call(self, act: Callable[[SweepController], T]) -> T:
        """Have the controller act. What it raises is kept, for Tune wraps it in an error of its own."""
        try:
            return act(self.controller)
        except Exception as error:
            self.fault = error
            raise


class _Searcher(Searcher):
    """Asks the controller what to run, as long as there are cores for it."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__()
        self._bridge = bridge

    def suggest(self, trial_id: str) -> Any:
        if self._bridge.call(lambda controller: controller.running) >= self._bridge.places():
            return None
        task = self._bridge.call(lambda controller: controller.next_task())
        if task is not None:
            return {TASK: task}
        # None: Tune asks again, after it has looked for results.
        return Searcher.FINISHED if self._bridge.call(lambda controller: controller.queue.over) else None

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """The controller knows already: the report said so, or `_LifecycleCallback` did."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the record decides."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""


class _Scheduler(FIFOScheduler):
    """Hands reports to the controller, who says whether the trial goes on."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._bridge = bridge

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        forget_ended(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        report: Report = result[REPORT]
        verdict = self._bridge.call(lambda controller: controller.take(report))
        if verdict.advanced:  # it gets on: earlier losses were not its fault
            allow_losses(trial, self._bridge.controller.spec.resources.retries)
        return str(TrialScheduler.CONTINUE if verdict.goes_on else TrialScheduler.STOP)


class _LifecycleCallback(ProgressCallback):
    """Sees trials whose worker is lost for good, and frees what was recorded."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._live: dict[int, TuneTrial] = {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        number = trial.config[TASK].trial
        self._live[number] = trial
        self._bridge.call(lambda controller: controller.placed(number))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        self._live.pop(trial.config[TASK].trial, None)

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: TuneTrial, result: Any, **info: Any
    ) -> None:
        result.pop(REPORT, None)  # Tune would keep the rows in memory

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self._bridge.call(lambda controller: controller.record.poll())
        for number in self._bridge.call(lambda controller: controller.time_out()):
            kill_worker(self._live[number])  # it is recorded already, and not taken up again

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        number = trial.config[TASK].trial
        logger.warning("trial %d: its worker died; it is taken up again", number)
        self._bridge.call(lambda controller: controller.displaced(number))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: TuneTrial, **info: Any) -> None:
        number, reason = trial.config[TASK].trial, loss_in_words(error_of(trial))
        self._live.pop(number, None)
        self._bridge.call(
            lambda controller: self._bridge.monitor.check()
        )  # else it is not this trial that is lost
        self._bridge.call(lambda controller: controller.lost(number, reason))


def loss_in_words(error: BaseException | None) -> str:
    """Why a worker was lost, in a line."""
    if isinstance(error, OutOfMemoryError):
        return "out of memory: the node's memory ran low and its worker was killed; run fewer at once"
    if isinstance(error, RayActorError):
        return "lost: its worker or node died, and no retry is left"
    return f"lost: {error}".partition("\n")[0] if error else "lost: its worker or node died"


def run_on_ray(
    controller: SweepController, factory: TrialFactory = begin_training, address: str | None = None
) -> None:
    """Run the controller's trials to the end.

    Args:
        controller: of the sweep.
        factory: makes trials.
        address: of a running cluster, `auto` or HOST:PORT; None: a Ray of this process's own.

    Raises:
        SweepError: if Ray can't be started or joined, or the record can't be written.
        KeyboardInterrupt: passed on; what was recorded is kept.
    """
    os.environ.update(TUNE_SETTINGS)
    never_start_ray_unasked()
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # it shows tracebacks of what we say in a line
    with (
        scratch_folder() as scratch,
        connected_ray(address, controller.folder) if address else local_ray(scratch),
        monitored() as monitor,
    ):
        install_signal_handlers()
        _fit(controller, scratch / "tune", factory, monitor)


def _fit(controller: SweepController, storage: Path, factory: TrialFactory, monitor: ClusterMonitor) -> None:
    bridge = _Bridge(controller, monitor)
    controller.spec.resources.at_once(*monitor.cores)  # raises if there is no room for a trial
    controller.queue.patience = PATIENCE
    try:
        _tuner(bridge, storage, factory).fit()
    except TuneError as error:
        raise bridge.fault or SweepError(f"Ray Tune gave up: {error}") from None
    if not controller.queue.over:
        raise SweepError(
            f"Ray Tune ended after {controller.finished} trials, before the sweep was over; run the same "
            "command again to go on"
        )


def _tuner(bridge: _Bridge, storage: Path, factory: TrialFactory) -> tune.Tuner:
    resources = bridge.controller.spec.resources
    return tune.Tuner(
        tune.with_resources(tune.with_parameters(TrialActor, factory=factory), {"cpu": resources.cpus}),
        tune_config=tune.TuneConfig(
            search_alg=_Searcher(bridge),
            scheduler=_Scheduler(bridge),
            num_samples=-1,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(storage),
            failure_config=tune.FailureConfig(max_failures=resources.retries),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            callbacks=[_LifecycleCallback(bridge)],
            verbose=0,
        ),
    )
