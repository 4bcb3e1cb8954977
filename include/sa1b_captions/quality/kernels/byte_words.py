"""Eight bytes of text at a time, as one little-endian number.

Marks are numbers with 0x80 in the bytes that have a property and zeros elsewhere.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types, uint64
from numba.extending import intrinsic

from sa1b_captions.quality.kernels.compiled import compiled

WIDTH = 8
TOPS = uint64(0x8080808080808080)
BITS = uint64(0x7F7F7F7F7F7F7F7F)
SPACES = uint64(0x2020202020202020)


def _place(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    """Where eight bytes of an array begin, at any byte."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), ir.IntType(64).as_pointer())


def _load(typing: Any, data: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature.args[0], *arguments), align=1)

    return types.uint64(data, types.intp), generate


def _store(typing: Any, data: Any, place: Any, eight: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), generate


def _first(typing: Any, marks: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.cttz(arguments[0], ir.IntType(1)(0))
        return builder.lshr(zeros, ir.IntType(64)(3))

    return types.int64(types.uint64), generate


load: Any = intrinsic(_load)
"""data[place:place + 8]; nothing checks that they are there."""
store: Any = intrinsic(_store)
"""Write data[place:place + 8]; nothing checks that they are there."""
first: Any = intrinsic(_first)
"""Place of the first marked byte, int64; 8 where none is marked."""


@compiled
def each(byte: int) -> np.uint64:
    """A byte eight times."""
    return uint64(byte) * uint64(0x0101010101010101)


@compiled
def before(place: int) -> np.uint64:
    """All bits of the first 0 to 7 bytes."""
    return (uint64(1) << uint64(8 * place)) - uint64(1)


@compiled
def spaces(eight: np.uint64) -> np.uint64:
    """Mark spaces."""
    return ~(((eight ^ SPACES) & BITS) + BITS | eight) & TOPS
