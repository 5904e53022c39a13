"""The bytes of a curated record, put together from those of the raw one: what `codec.encode` gives of what `state/routing.py` curates."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from connectors.curate.copying import copy_bytes
from connectors.scan import REGISTER
from connectors.scan import raw_table as row_of
from connectors.scan.parts import one_range
from connectors.scan.tokens import Bytes, word
from state.compiling import compiled

Ints = NDArray[np.int64]

ROOM: Final = 256
"""More than what a payload is longer than the raw one and its supply point's text."""

_ZERO: Final = 48
_MINUS: Final = 45
_LIST_END: Final = 93

_QUANTITIES = word(',"quantities_nano":[')
_RANGES = word(',"ranges":[{"first":')
_RANGE = word(',{"first":')
_LAST = word(',"last":')
_LIST_CLOSED = word("]")
_COMMA = word(",")
_RAW = word(',"raw":[')
_RECEIVED_MS = word('],"received_ms":')
_SUB_AND_POINT = word(',"sub":0,"supply_point":')
_TYPE_INTERVALS = word(',"type":"intervals"')


@compiled
def put_reading(
    out: Bytes, at: int, data: Bytes, start: int, end: int, row: Ints, carrier: tuple[int, int, int], point: Bytes
) -> int:
    """Write at a place the curated form of the raw reading data[start:end], whose places are in `row`; returns the place after it.

    `carrier`: raw partition, raw offset and time of receipt. `point`: the supply point as JSON text.
    """
    partition, offset, received_ms = carrier
    at = put(out, at, data, start, row[row_of.HEAD_END])
    if row[row_of.KIND] != REGISTER:
        at = put(out, at, data, row[row_of.QUALITY_FIELD], row[row_of.QUALITY_FIELD_END])
        at = _put_word(out, at, _QUANTITIES)
        at = put(out, at, data, row[row_of.VALUES], row[row_of.VALUES_END])
        at = _put_word(out, at, _LIST_CLOSED)
        if row[row_of.RANGES] >= 0:
            at = _put_ranges(out, at, data, row[row_of.RANGES], end, row[row_of.NUMBER])
    at = _put_integer(out, _put_word(out, at, _RAW), partition)
    at = _put_integer(out, _put_word(out, at, _COMMA), offset)
    at = _put_integer(out, _put_word(out, at, _RECEIVED_MS), received_ms)
    at = put(out, at, data, row[row_of.REGISTER_FIELD], row[row_of.REGISTER_FIELD_END])
    if row[row_of.KIND] != REGISTER:
        at = put(out, at, data, row[row_of.START_FIELD], row[row_of.START_FIELD_END])
    at = _put_word(out, _put_word(out, at, _SUB_AND_POINT), point)
    if row[row_of.KIND] != REGISTER:
        at = _put_word(out, at, _TYPE_INTERVALS)
    return put(out, at, data, row[row_of.TAIL], end)


@compiled
def put(out: Bytes, at: int, data: Bytes, start: int, end: int) -> int:
    """Copy data[start:end]; returns the place after it."""
    copy_bytes(out, at, data, start, end - start)
    return at + end - start


@compiled
def _put_word(out: Bytes, at: int, text: Bytes) -> int:
    return put(out, at, text, 0, text.size)


@compiled
def _put_integer(out: Bytes, at: int, number: Any) -> int:
    """Write an integer above the least one; returns the place after it."""
    if number < 0:
        out[at] = _MINUS
        at += 1
        number = -number
    digits = 1
    rest = number // 10
    while rest:
        digits += 1
        rest //= 10
    for place in range(at + digits - 1, at - 1, -1):
        out[place] = _ZERO + number % 10
        number //= 10
    return at + digits


@compiled
def _put_ranges(out: Bytes, at: int, data: Bytes, place: int, end: int, number: int) -> int:
    """Write the ranges that touch one of `number` elements, cut to them; nothing if there is none."""
    is_first = True
    while data[place] != _LIST_END:
        first, last, _, after_last, after = one_range(data, place, end)
        if first < number and last >= 0:
            at = _put_word(out, at, _RANGES if is_first else _RANGE)
            at = _put_integer(out, at, max(first, 0))
            at = _put_integer(out, _put_word(out, at, _LAST), min(last, number - 1))
            at = put(out, at, data, after_last, after)
            is_first = False
        place = after if data[after] == _LIST_END else after + 1
    return at if is_first else _put_word(out, at, _LIST_CLOSED)
