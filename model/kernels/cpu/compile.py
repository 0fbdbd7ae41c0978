"""How the kernels are compiled, and where they are kept."""

from typing import Any

import numpy as np
from numba import config, njit

from model.caches import kernels_folder
from model.kernels.cpu.prebuilt import take_prebuilt


def _find_cache() -> bool:
    """See that numba has a place for what it compiles; False if it must compile in every process anew.

    Numba takes the first of NUMBA_CACHE_DIR, the folder of the code and the user's home that can be written,
    and refuses to go on with none.
    """
    if _numba_finds_one():
        return True
    folder = kernels_folder()
    if folder is None:
        return False
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return _numba_finds_one()


def _numba_finds_one() -> bool:
    try:
        njit(cache=True)(_numba_finds_one)  # compiled only if it is called
    except RuntimeError:
        return False
    return True


take_prebuilt()
CACHED = _find_cache()

# Sums may be reassociated and products fused, but NaN and infinity keep their meaning: a network that
# diverges must be seen to diverge. Threads are ours (nogil): each runs a kernel on its share of the pairs.
# The cache knows a kernel by its own file, not by those of its parts: after a change to any other file of
# this folder, delete __pycache__.
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": CACHED,
    "no_cfunc_wrapper": True,  # nobody calls them from C
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}

# For the parts of a kernel. They must be inlined, not for speed alone: of a part that is called, a process
# that compiles has two versions, the part's own and the kernel's, while one that reads the cache has the
# kernel's only, and they may round otherwise.
# Nor have they what Python calls them by, which would take a third of the time to compile. So a process that
# calls one from Python crashes: put it into a kernel, as `tests/support/parts.py` does.
PART: dict[str, Any] = OPTIONS | {"forceinline": True, "no_cpython_wrapper": True}

# For parts that allocate nothing. Without numba's runtime no reference is counted: a field of a tuple or a
# row of an array that is looked at inside a loop would otherwise cost two atomic operations, more than its
# work.
INLINED: dict[str, Any] = PART | {"_nrt": False}


# For what must come out as in Python, to the last bit.
STRICT: dict[str, Any] = INLINED | {"fastmath": False}


@njit(**INLINED)
def unsigned(index):
    """An index that numba need not test for being negative: such a test keeps a loop from vectorising."""
    return np.uint64(index)
