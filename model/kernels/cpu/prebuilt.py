"""Kernels that were compiled when an image was made, so that no container has to compile them again.

An image is made on one machine and run on others, so what it has is compiled for any processor with AVX2, as
fast as for the machine's own as far as could be measured. Elsewhere kernels are compiled as without it.
"""

import os
import shutil
import tempfile
from pathlib import Path

from llvmlite.binding import get_host_cpu_features
from numba import config

from model.caches import kernels_folder

FOLDER = "POLYCHRONY_KERNELS"
"""Names the folder of an image that has them; it is only read. Numba insists on one that it can write, so
they are copied: to NUMBA_CACHE_DIR, or to a folder that only its user may enter."""
TARGET = "x86-64-v3"
NEEDED = ("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
"""What a processor must have for code of that target."""


def take_prebuilt() -> bool:
    """Have numba use the prebuilt kernels; must be called before the first function is compiled.

    Returns:
        whether they are used: False if the environment names none, or the processor can't run them.
    """
    source, features = os.environ.get(FOLDER), get_host_cpu_features()
    if not source or not all(features.get(one) for one in NEEDED):
        return False
    cache = config.CACHE_DIR or kernels_folder(_index(Path(source)))  # type: ignore[attr-defined]
    if not cache:
        return False
    config.CPU_NAME, config.CPU_FEATURES = TARGET, ""  # type: ignore[attr-defined]
    config.CACHE_DIR = str(cache)  # type: ignore[attr-defined]
    if Path(source).is_dir() and not Path(cache).exists():
        _copy(Path(source), Path(cache))
    return True


def _index(source: Path) -> bytes:
    """What tells the kernels of one image from those of another: numba's lists of what each file holds."""
    return b"".join(one.read_bytes() for one in sorted(source.rglob("*.nbi")))


def _copy(source: Path, cache: Path) -> None:
    """Whole or not at all, for many processes may start at once; who comes second finds it done."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{cache.name}-", dir=cache.parent))
    try:
        shutil.copytree(source, beside / "kernels")
        (beside / "kernels").rename(cache)
    except OSError:
        if not cache.is_dir():
            raise
    finally:
        shutil.rmtree(beside)
