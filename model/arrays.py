"""Names of the types of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""An array of numbers of any kind."""
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
"""An array of float32 or of float64, as the numbers of a network are."""
Ints = NDArray[np.int64]
