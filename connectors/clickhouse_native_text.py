"""Text as the Native format has it: each value behind its length, or each different value once and a code a row."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Slices, codes_of, refuse_nulls
from connectors.clickhouse_pieces import Piece
from connectors.clickhouse_text import as_text
from state.compiling import Worth, compiled
from state.outputs import Words

DICTIONARY_VERSION: Final = (1).to_bytes(8, "little")
"""What stands before a column that has a dictionary, or whose elements have."""

_HAS_ITS_OWN_KEYS: Final = 1 << 9
_CODE_TYPES: Final = ("<u1", "<u2", "<u4", "<u8")
_COMPILED: Final = Worth("connectors.clickhouse_native_text._write", many=200_000)
"""In values: a record has a few, so these are some ten thousand records."""
_LONGER_FROM: Final = 1 << 7 * np.arange(1, 9)
"""From each of these on a length takes one byte more."""


def in_full(slices: Slices) -> NDArray[np.uint8]:
    """The values of a String column. The slices must be within their buffer: see `as_text`."""
    if not _COMPILED.of(len(slices.start)):
        return _in_full_one_by_one(slices)
    data = np.frombuffer(slices.data, np.uint8)
    data.flags.writeable = False  # as that of bytes is: the loop is compiled for one of the two
    start, end = np.ascontiguousarray(slices.start), np.ascontiguousarray(slices.end)
    lengths = end - start
    sizes = lengths + 1 + np.searchsorted(_LONGER_FROM, lengths, side="right")
    out = np.empty(int(sizes.sum()), np.uint8)
    _write(data, start, end, out)
    return out


def _in_full_one_by_one(slices: Slices) -> NDArray[np.uint8]:
    """Without the compiler."""
    data, out = memoryview(slices.data), bytearray()
    for start, end in zip(slices.start.tolist(), slices.end.tolist(), strict=True):
        length = end - start
        while length >= 128:
            out.append(length & 127 | 128)
            length >>= 7
        out.append(length)
        out += data[start:end]
    return np.frombuffer(out, np.uint8)


def by_dictionary(name: str, words: Words, may_be_null: bool) -> list[Piece]:
    """The values of a LowCardinality column; NULL is the first key of one that may have it. Raises ValueOutOfRange for
    a NULL where none may be, and what `as_text` does."""
    codes = codes_of(name, words)
    if not may_be_null and None in words.values:
        refuse_nulls(name, np.array([value is None for value in words.values])[codes])
    different = dict.fromkeys((None, *words.values) if may_be_null else words.values)
    keys = in_full(as_text(name, tuple(different)).slices)
    if not len(codes):
        return []
    code_of = dict(zip(different, range(len(different)), strict=True))
    width = next(at for at in range(4) if len(different) <= 1 << (8 << at))
    code_there = np.array([code_of[value] for value in words.values], _CODE_TYPES[width])
    head = np.array([width | _HAS_ITS_OWN_KEYS, len(different)], "<u8")
    return [head, keys, np.array([len(codes)], "<u8"), code_there[codes]]


@compiled
def _write(data: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Each slice of `data` behind its length: seven bits a byte, the lowest first. `out` has just the room for it."""
    at = 0
    for row in range(start.size):
        length = end[row] - start[row]
        while length >= 128:
            out[at] = length & 127 | 128
            at += 1
            length >>= 7
        out[at] = length
        at += 1
        for byte in range(start[row], end[row]):
            out[at] = data[byte]
            at += 1
