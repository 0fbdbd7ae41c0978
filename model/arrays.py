"""Names of the types of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Of numbers of any kind."""
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
"""Of float32 or float64, as the networks are."""
Ints = NDArray[np.int64]
