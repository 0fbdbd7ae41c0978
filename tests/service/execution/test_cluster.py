"""A Ray of this process's own: what is said if it does not start."""

from pathlib import Path
from typing import Any

import pytest
import ray

from service.errors import SweepError
from service.execution.cluster import local_ray


@pytest.mark.parametrize("kind", [Exception, RuntimeError, OSError])
def test_a_ray_that_does_not_start_is_said_in_a_line(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: Any) -> None:
        raise kind("Traceback of another process\nThe current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(SweepError) as found, local_ray(tmp_path):
        pass
    said = "Ray could not be started: The current node timed out during startup; run the same command again"
    assert str(found.value).startswith(said)
    assert "\n" not in str(found.value)
