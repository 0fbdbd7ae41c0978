"""A measure beside its values in networks that share its statistics, but for chance."""

import math

import numpy as np

from model.arrays import Floats
from model.topology.names import SUFFIXES


def against_null(value: float, null: Floats) -> dict[str, float]:
    """Ratio, z and p of a value against those of null networks [n >= 1]; see `measures`."""
    if math.isnan(value) or np.isnan(null).any():
        return dict.fromkeys(SUFFIXES, math.nan)
    mean = float(null.mean())
    spread = float(null.std(ddof=1)) if len(null) > 1 else 0.0
    rounding = 1e-9 * max(abs(value), abs(mean))  # values that differ by less are equal
    return {
        # Where nulls lie on both sides of 0, their mean is 0 but for chance, and no unit to measure in.
        "ratio": value / mean if null.min() >= 0 and mean > rounding else math.nan,
        "z": (value - mean) / spread if spread > rounding else math.nan,
        "p": (1 + int((null >= value - rounding).sum())) / (len(null) + 1),
    }
