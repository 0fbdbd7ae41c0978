"""A value for M and one for S, side by side in memory and moved as one.

The rings of pending arrivals hold such pairs, in a flat array of twice as many floats. Their places are as
good as random, so that each access costs what a cache line costs; as a pair it costs that once. Numba has no
type for two floats in one register: the two functions here emit the loads, the sum and the store themselves,
of LLVM's type <2 x float> or <2 x double>, which every processor has instructions for.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def add_pair(typing: Any, into: Any, at: Any, pairs: Any, index: Any) -> Any:
    """Add pair `index` of `pairs` to pair `at` of `into`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _pointer(context, builder, signature.args[0], *arguments[:2])
        source = _pointer(context, builder, signature.args[2], *arguments[2:])
        align = _align(signature)
        total = builder.fadd(builder.load(target, align=align), builder.load(source, align=align))
        builder.store(total, target, align=align)
        return context.get_dummy_value()

    return types.void(into, types.uint64, pairs, types.uint64), emit


@intrinsic
def copy_pair(typing: Any, into: Any, at: Any, pairs: Any, index: Any) -> Any:
    """Overwrite pair `at` of `into` with pair `index` of `pairs`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _pointer(context, builder, signature.args[0], *arguments[:2])
        source = _pointer(context, builder, signature.args[2], *arguments[2:])
        align = _align(signature)
        builder.store(builder.load(source, align=align), target, align=align)
        return context.get_dummy_value()

    return types.void(into, types.uint64, pairs, types.uint64), emit


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Where pair `index` of an array of floats begins."""
    pair = ir.VectorType(context.get_data_type(array_type.dtype), 2)
    first = context.make_array(array_type)(context, builder, array).data
    return builder.gep(builder.bitcast(first, pair.as_pointer()), [index])


def _align(signature: Any) -> int:
    """Bytes to which pairs are known to be aligned: those of one float."""
    return int(signature.args[0].dtype.bitwidth // 8)
