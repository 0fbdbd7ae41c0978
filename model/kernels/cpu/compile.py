"""How the kernels are compiled."""

from typing import Any

import numpy as np
from numba import njit

# Sums may be reassociated and products fused, but NaN and infinity keep their meaning: a network that
# diverges must be seen to diverge. Threads are ours (nogil): each runs a kernel on its share of the pairs.
# The cache knows a kernel by its own file, not by those of its parts: after a change to ring.py, pairs.py,
# spikes.py or this file, delete __pycache__.
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}

# For the parts of a kernel. They must be inlined, not for speed alone: of a part that is called, a process
# that compiles has two versions, the part's own and the kernel's, while one that reads the cache has the
# kernel's only, and they may round otherwise.
PART: dict[str, Any] = OPTIONS | {"forceinline": True}

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
