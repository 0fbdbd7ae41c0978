"""What is said of addresses at which there is no cluster, and of one that is lost."""

import socket
from collections.abc import Callable

import pytest

from service.config.sweep import SweepSpec
from service.errors import SweepError, UserError
from service.execution import cluster
from service.execution.address import check_reachable


@pytest.mark.parametrize(
    "address", ["nonsense", "http://127.0.0.1:8265", "ray://127.0.0.1:10001", "127.0.0.1:", ":1", "a:b"]
)
def test_what_is_no_address_is_a_fault(address: str) -> None:
    with pytest.raises(UserError, match="is no address of a Ray cluster; give HOST:PORT"):
        check_reachable(address)


def test_the_url_of_a_dashboard_in_the_environment_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    with pytest.raises(UserError, match="is for `polychrony submit`"):
        check_reachable("auto")


def test_where_nobody_listens_there_is_no_cluster() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(SweepError, match=r"nothing answers there .*start it"):
            check_reachable(f"127.0.0.1:{one.getsockname()[1]}")


def test_what_listens_but_is_no_cluster_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.execution.address.ANSWER_SECONDS", 0.5)
    no_cluster = pytest.raises(SweepError, match="what answers there is no Ray cluster")
    with socket.create_server(("127.0.0.1", 0)) as one, no_cluster:
        check_reachable(f"127.0.0.1:{one.getsockname()[1]}")


def test_trials_at_once_are_counted_by_node(small_spec: Callable[..., SweepSpec]) -> None:
    resources = small_spec(resources="{cpus: 2, concurrent: 5}").resources
    assert resources.at_once(3, 5) == 3
    assert resources.at_once(16, 16) == 5
    with pytest.raises(SweepError, match="a trial wants 2 cores, there are 1 on a node at most"):
        resources.at_once(1, 1, 1)


def test_the_first_node_with_cores_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head of Kubernetes's has none, and may be asked before its workers have joined."""
    head = {"Alive": True, "Resources": {"memory": 1.0}}
    gone = {"Alive": False, "Resources": {"CPU": 4.0}}
    worker = {"Alive": True, "Resources": {"CPU": 2.0}}
    seen = iter([[head], [head, gone], [head, gone, worker]])
    monkeypatch.setattr("ray.nodes", lambda: next(seen))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    cluster._await_cores()
    assert next(seen, None) is None
    monkeypatch.setattr("ray.nodes", lambda: [head, gone])
    monkeypatch.setattr(cluster, "CORES_SECONDS", -1.0)
    with pytest.raises(SweepError, match="no node with cores has joined"):
        cluster._await_cores()
