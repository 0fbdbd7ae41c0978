"""A cluster that runs no job, and who looks at it."""

import pytest
from job_cluster import URL, Cluster

from service.jobs.dashboard import Dashboard


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("service.jobs.dashboard.PAUSE", 0.0)
    cluster = Cluster()
    monkeypatch.setattr(Dashboard, "connect", lambda address: Dashboard(address, cluster))
    return cluster


@pytest.fixture
def dashboard(cluster: Cluster) -> Dashboard:
    return Dashboard(URL, cluster)
