"""Copying bytes in compiled code as the C library does: a loop takes twice as long for stretches as short as a field."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _copy_bytes(typing_context: Any, out: Any, at: Any, data: Any, start: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        into, into_at, source, source_at, number = arguments
        target = context.make_array(signature.args[0])(context, builder, into).data
        origin = context.make_array(signature.args[2])(context, builder, source).data
        cgutils.raw_memcpy(builder, builder.gep(target, [into_at]), builder.gep(origin, [source_at]), number, 1)
        return context.get_dummy_value()

    return types.void(out, types.int64, data, types.int64, types.int64), generate


copy_bytes: Any = intrinsic(_copy_bytes)
"""copy_bytes(out, at, data, start, count): out[at : at + count] = data[start : start + count], of two arrays of bytes that do not overlap.

The bounds are the caller's to check.
"""
