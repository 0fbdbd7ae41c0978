"""The unit of the times in a file: how they become milliseconds, and whether it can be the right one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Ints
from model.datasets.config import TimeUnit
from model.datasets.ragged import DataError, offsets_of

LONGEST, SHORTEST = 60_000.0, 1.0
"""Beyond these lengths of the median sample (ms) its times are thought to be in another unit."""

_MS: dict[TimeUnit, float] = {"s": 1000.0, "ms": 1.0, "us": 0.001}
_NOUNS: dict[TimeUnit, str] = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}


def milliseconds(times: NDArray[Any], unit: TimeUnit | None) -> NDArray[Any]:
    """Times [E] in ms, given in `unit` (None: s): float32, or float64 where float32 does not hold the type.

    >>> milliseconds(np.array([1500, 250]), "us").tolist()
    [1.5, 0.25]
    """
    # SHD's float16 ends at 65,504 and has steps of 32 there: widen before scaling.
    wide = np.float32 if np.can_cast(times.dtype, np.float32) else np.float64
    # For us a quotient: a product with 0.001, which is no binary number, would be rounded twice.
    scale, factor = (np.divide, 1000.0) if unit == "us" else (np.multiply, _MS[unit or "s"])
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later, by sample
        scaled: NDArray[Any] = scale(times, factor, dtype=wide)
    return scaled


def check_unit(times: NDArray[Any], lengths: Ints, unit: TimeUnit | None) -> None:
    """Raise DataError if the median sample is so long or so short that times can hardly be in `unit`.

    Times [E] are in ms, `lengths` [S] tell how many belong to each sample. Samples without spikes, or with
    none but at 0, do not count. Whoever says that times are in seconds is believed.
    """
    if unit == "s":
        return
    starts = offsets_of(lengths)[:-1][lengths > 0]
    ends = np.maximum.reduceat(times, starts) if len(starts) else times
    ends = ends[np.isfinite(ends) & (ends > 0)]
    median = float(np.median(ends)) if len(ends) else SHORTEST
    if SHORTEST <= median <= LONGEST:
        return
    given = unit or "s"
    fitting = [one for one, ms in _MS.items() if SHORTEST <= median / _MS[given] * ms <= LONGEST]
    cure = f"if they are in {_NOUNS[fitting[0]]}, say `time_unit: {fitting[0]}`; " if fitting else ""
    length = f"{median / 1000:,.0f} s" if median >= 1000 else f"{median:.3g} ms"
    believed = "say" if unit is None else "give seconds and say"
    raise DataError(
        f"the median sample lasts {length} if its times are in {_NOUNS[given]}; {cure}if that is "
        f"right, {believed} `time_unit: s`"
    )
