"""The exponential over at most one time constant, in a form that vectorises.

Numba's own is a call of the library for each number. Here it is a Taylor series about the middle of the
range, in so many terms that what is left out is lost in the rounding of the type.
"""

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

TERMS = {types.float32: 9, types.float64: 16}
"""How many by type, n: the next one is at most exp(-1/2) (1/2)^n / n!, and the result at least exp(-1)."""
MIDDLE = -0.5
FLAGS = ("contract", "nsz")


@intrinsic
def remaining(typing: Any, x: Any) -> Any:
    """exp(x) to rounding, for x from -1 to 0; nothing useful elsewhere, and NaN of NaN."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.args[0])
        step = builder.fadd(arguments[0], ir.Constant(kind, -MIDDLE), flags=FLAGS)
        terms = [math.exp(MIDDLE) / math.factorial(k) for k in range(TERMS[signature.args[0]])]
        total = ir.Constant(kind, terms[-1])
        for term in reversed(terms[:-1]):
            total = builder.fadd(builder.fmul(total, step, flags=FLAGS), ir.Constant(kind, term), flags=FLAGS)
        return total

    return (x(x), emit) if x in TERMS else None
