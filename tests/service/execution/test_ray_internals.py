"""The private names of Ray's that we use are there, and mean what we think."""

import inspect
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import ray
from ray import cloudpickle
from ray._private import auto_init_hook, services
from ray._private import node as node_module
from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
from ray._private.node import Node
from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]
from ray.exceptions import OutOfMemoryError
from ray.job_submission import JobSubmissionClient
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment.trial import Trial, _TemporaryTrialState
from ray.tune.utils.callback import _create_default_callbacks

from service.errors import SweepError
from service.execution._ray_internals import (
    ProgressCallback,
    allow_losses,
    error_of,
    forget_ended,
    kill_worker,
    never_start_ray_unasked,
    own_token,
    start_ray,
)
from service.execution.cluster import local_ray
from service.execution.scratch import scratch_folder


@pytest.mark.parametrize("before", [None, "another"])
def test_a_ray_of_our_own_has_a_token_of_its_own(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray finds it, and writes none into the home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", before or "")
    if before is None:
        monkeypatch.delenv("RAY_AUTH_TOKEN")
    with own_token():
        first = os.environ["RAY_AUTH_TOKEN"]
        assert len(first) == 64 and AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True)
        ensure_token_if_auth_enabled()
    with own_token():
        assert os.environ["RAY_AUTH_TOKEN"] not in (first, before)
    assert os.environ.get("RAY_AUTH_TOKEN") == before and list(tmp_path.iterdir()) == []


class Hurried:
    """The module `time` for Ray's node: while the first ones are started, a minute passes with each look."""

    def __init__(self, late: int) -> None:
        self.late, self.asked, self.nodes = late, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        self.asked += 1
        return time.monotonic() + 60.0 * self.asked * (self.nodes <= self.late)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Hurried:
    """No node but later ones than the first `late` is known to Ray before its time is over."""
    clock = Hurried(1)
    known = services.get_node

    def get_node(*arguments: Any) -> Any:
        clock.nodes += 1
        if clock.nodes <= clock.late:
            raise RuntimeError("it is not there yet")
        return known(*arguments)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(node_module, "time", clock)
    monkeypatch.setattr(services, "get_node", get_node)
    return clock


def test_a_start_that_takes_too_long_is_made_again(hurried: Hurried, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Node] = []
    whole = Node.kill_all_processes

    def kill(self: Node, **settings: Any) -> None:
        ended.append(self)
        whole(self, **settings)

    monkeypatch.setattr(Node, "kill_all_processes", kill)
    with scratch_folder() as scratch, local_ray(scratch):
        assert ray.is_initialized() and len(ended) == 1 and not ended[0].live_processes()
        assert ray.get(ray.remote(lambda: 1).remote()) == 1


def test_a_machine_that_is_too_busy_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts = []

    def init(**settings: Any) -> None:
        starts.append(settings)
        raise Exception("The current node timed out during startup. This could happen because ...")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(SweepError, match="this machine is too busy"), local_ray(tmp_path):
        pass
    assert len(starts) == 5
    with pytest.raises(Exception, match="timed out during startup"):
        start_ray()


@pytest.mark.parametrize(
    "name", ["_trials", "_stopped_trials", "_failed_trials", "_live_trials", "_trials_to_cache"]
)
def test_the_controller_keeps_trials_under_these_names(name: str) -> None:
    assert f"self.{name}" in inspect.getsource(TuneController)
    assert "return self._trials" in inspect.getsource(TuneController.get_trials)


class Ended:
    """What is asked of a trial of Tune's."""

    def __init__(self, ended: bool) -> None:
        self.ended = ended

    def is_finished(self) -> bool:
        return self.ended


def test_ended_trials_are_forgotten_and_others_stay() -> None:
    ended, running = Ended(True), Ended(False)
    trials = [ended, running]
    controller = SimpleNamespace(get_trials=lambda: trials, _stopped_trials={ended}, _live_trials={running})
    forget_ended(SimpleNamespace(_tune_controller=controller))
    assert trials == [running]
    assert controller._stopped_trials == set() and controller._live_trials == {running}


def test_a_trial_counts_its_losses_under_these_names() -> None:
    source = inspect.getsource(Trial)
    for name in ("max_failures", "num_failures", "temporary_state", "pickled_error_file"):
        assert f"self.{name}" in source or f"def {name}(" in source
    assert _TemporaryTrialState().ray_actor is None
    trial = cast(Any, SimpleNamespace(num_failures=3, max_failures=2))
    allow_losses(trial, 2)
    assert trial.max_failures == 5


def test_a_trial_without_a_worker_can_be_killed() -> None:
    trial = cast(Any, SimpleNamespace(max_failures=5, temporary_state=_TemporaryTrialState()))
    kill_worker(trial)
    assert trial.max_failures == 0


def test_a_callback_of_this_class_takes_the_place_of_tunes_own() -> None:
    source = inspect.getsource(_create_default_callbacks)
    assert f"isinstance(c, {ProgressCallback.__name__})" in source


def test_the_job_client_asks_by_this_method() -> None:
    parameters = inspect.signature(JobSubmissionClient._do_request).parameters
    assert [*parameters][:3] == ["self", "method", "endpoint"]
    assert any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    assert callable(JobSubmissionClient._raise_error)


def test_theerror_of_a_trial_is_read_where_tune_has_put_it(tmp_path: Path) -> None:
    path = tmp_path / "error.pkl"
    path.write_bytes(cloudpickle.dumps(OutOfMemoryError("low")))
    assert isinstance(error_of(cast(Any, SimpleNamespace(pickled_error_file=path))), OutOfMemoryError)
    path.write_bytes(b"garbage")
    assert error_of(cast(Any, SimpleNamespace(pickled_error_file=path))) is None
    assert error_of(cast(Any, SimpleNamespace(pickled_error_file=None))) is None


def test_ray_is_not_started_by_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread that asks for the nodes of a Ray that is being shut down, for one."""
    monkeypatch.setattr(auto_init_hook, "enable_auto_connect", True)
    monkeypatch.setattr(ray, "init", lambda: pytest.fail("Ray was started"))
    never_start_ray_unasked()
    with pytest.raises(Exception, match="not been started"):
        ray.nodes()
