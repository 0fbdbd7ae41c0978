"""Kernels that an image brings along."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from llvmlite.binding import get_host_cpu_features

from model.kernels.cpu.prebuilt import NEEDED

CALL = """
import numpy as np
from model.augmentation.kernel import stream_keys
stream_keys(np.zeros(1, np.uint64), np.zeros(1, np.int64))
print(sum(stream_keys.stats.cache_hits.values()), sum(stream_keys.stats.cache_misses.values()))
"""
OLD = "import llvmlite.binding as b; b.get_host_cpu_features = lambda: b.FeatureMap(sse2=True)\n"

fast = pytest.mark.skipif(
    not all(get_host_cpu_features().get(one) for one in NEEDED), reason="this processor has no AVX2"
)


def called(
    kernels: Path | None, cache: Path, before: str = "", variable: str = "NUMBA_CACHE_DIR"
) -> tuple[int, int]:
    """How many kernels a new process has read, and how many compiled."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    environment |= {variable: str(cache)} | ({} if kernels is None else {"POLYCHRONY_KERNELS": str(kernels)})
    done = subprocess.run(
        [sys.executable, "-c", before + CALL], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read, compiled = done.stdout.split()
    return int(read), int(compiled)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.nb?"))


@fast
def test_nothing_is_compiled_again_and_what_was_brought_is_not_changed(tmp_path: Path) -> None:
    image, cache = tmp_path / "image", tmp_path / "new" / "cache"
    assert called(image, image) == (0, 1)
    before = {path: path.stat().st_mtime_ns for path in image.rglob("*.nb?")}
    with ThreadPoolExecutor(4) as pool:  # processes that start at once
        assert [*pool.map(lambda _: called(image, cache), range(4))] == [(1, 0)] * 4
    assert names(cache) == names(image) and [path.name for path in cache.parent.iterdir()] == ["cache"]
    assert before == {path: path.stat().st_mtime_ns for path in image.rglob("*.nb?")}


@fast
def test_without_a_place_named_they_are_copied_to_the_users_own_folder(tmp_path: Path) -> None:
    image, temporary = tmp_path / "image", tmp_path / "temporary"
    temporary.mkdir()
    assert called(image, image) == (0, 1)
    assert [called(image, temporary, variable="TMPDIR") for _ in range(2)] == [(1, 0)] * 2
    [own] = temporary.iterdir()
    assert own.name == f"polychrony-{os.geteuid()}" and own.stat().st_mode & 0o077 == 0
    [copy] = own.iterdir()
    assert names(copy) == names(image)


def test_a_processor_that_cant_run_them_compiles_its_own(tmp_path: Path) -> None:
    image, cache = tmp_path / "image", tmp_path / "cache"
    called(image, image)
    assert called(image, cache, OLD) == (0, 1)


def test_without_the_variable_all_is_as_ever(tmp_path: Path) -> None:
    assert called(None, tmp_path / "cache") == (0, 1)
    assert called(None, tmp_path / "cache") == (1, 0)
