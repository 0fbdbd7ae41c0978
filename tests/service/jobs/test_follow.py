"""What a job says, followed to its end."""

from collections.abc import Callable
from typing import Any

import pytest
from job_cluster import URL, Cluster, of_sweep, one_line
from rich.console import Console

from service.commands.dispatch import logs
from service.errors import SweepError, UserError
from service.jobs.dashboard import Dashboard
from service.jobs.follow import follow


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (("SUCCEEDED", 0, ""), 0, ""),
        (("STOPPED", None, ""), 130, "was stopped, and what is finished is kept"),
        (("FAILED", 130, "failed"), 130, "`polychrony resume small"),
        (("FAILED", 2, "failed"), 2, "storage that all nodes see"),
        (("FAILED", 1, "failed"), 1, "could not go on"),
        (("FAILED", -9, "exit code -9\nlogs"), 1, "lost its driver (exit code -9)"),
        (("FAILED", None, "runtime_env setup failed"), 1, "lost its driver (runtime_env setup failed)"),
    ],
)
def test_the_exit_code_is_that_of_the_sweep(
    end: Any, code: int, said: str, cluster: Cluster, dashboard: Dashboard, console: Console
) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.end = end
    assert follow(dashboard, "polychrony-small-0-1", console) == code
    assert said in one_line(console)


def test_a_log_is_taken_up_where_the_connection_broke(cluster: Cluster, dashboard: Dashboard) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.pieces = ["one\ntw", ConnectionResetError(), "o\nthree\n", RuntimeError("closed"), "four\n"]
    said: list[str] = []
    assert dashboard.follow("polychrony-small-0-1", said.append).state == "SUCCEEDED"
    assert "".join(said) == "one\ntwo\nthree\nfour\n"


def test_a_log_that_breaks_again_and_again_is_given_up(cluster: Cluster, dashboard: Dashboard) -> None:
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    cluster.pieces = [ConnectionResetError() for _ in range(20)]
    with pytest.raises(SweepError, match="can't be followed; the job goes on"):
        dashboard.follow("polychrony-small-0-1", lambda text: None)


def test_ctrl_c_leaves_the_job_alone(
    cluster: Cluster, dashboard: Dashboard, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(name: str, write: Callable[[str], object]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dashboard, "follow", interrupted)
    cluster.add("polychrony-small-0-1", "RUNNING", of_sweep())
    assert follow(dashboard, "polychrony-small-0-1", console) == 130
    assert cluster.details[0].status == "RUNNING"
    assert f"`polychrony stop small --address {URL}` ends it" in one_line(console)


def test_logs_are_those_of_jobs(console: Console) -> None:
    with pytest.raises(UserError, match="--address: is missing"):
        logs("small", None, None, console, following=True)
