from pathlib import Path

import pytest
from known_sweep import sources_of, write_known_sweep

from service.report.paper.sources import Sources


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with everything that is recorded on request, and the networks of all trials."""
    runs = tmp_path_factory.mktemp("runs")
    return write_known_sweep(runs / "known", networks=tuple(range(16)), everything=True)


@pytest.fixture(scope="session")
def sources(folder: Path) -> Sources:
    return sources_of(folder)
