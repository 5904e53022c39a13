"""Curated readings to columns, as the fold takes them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from connectors.file_log import Frames
from connectors.scan.columns import INTERVALS, REGISTER, Ints, ReadingColumns
from connectors.scan.elements import Elements, quantities, ranges, room_for
from connectors.scan.names import Names, number_of
from connectors.scan.parts import length, named, optional_integer, quality, texts_end, words_end
from connectors.scan.tokens import Bytes, bounded, integer, skip, stands, word
from state.compiling import compiled, compiled_with_arrays

_LATEST_MS: Final = 10**15
"""As of raw instants: no sum of one and its intervals leaves int64."""
_MOST: Final = 2**63 - 1
_MOST_PARTITIONS: Final = 2**31
_MOST_VERSION: Final = 2**62

# Rows of the table of records.
(
    _AT, _KIND, _NAME, _RAW_PARTITION, _RAW_OFFSET, _SUB, _ORIGIN_PARTITION, _ORIGIN_OFFSET, _ORIGIN_SUB, _RECEIVED, _VERSION, _START,
    _INTERVAL, _FIRST, _NUMBER, _DECIMALS, _IS_RESET, _ROWS,
) = range(18)  # fmt: skip

_COMMA = word(",")
_LIST_CLOSED = word("]")
_DEVICE = word('{"device":"')
_DEVICE_LATER = word(',"device":"')
_INTERVAL_S = word(',"interval_s":')
_ORIGIN = word(',"origin":[')
_QUALITY = word(',"quality":')
_QUANTITIES = word(',"quantities_nano":[')
_RANGES = word(',"ranges":[')
_RAW = word(',"raw":[')
_RECEIVED_MS = word(',"received_ms":')
_REGISTER_NAME = word(',"register":"')
_START_MS = word(',"start_ms":')
_SUB_INDEX = word(',"sub":')
_POINT = word(',"supply_point":"')
_TYPE_INTERVALS = word(',"type":"intervals"')
_TYPE_REGISTER = word(',"type":"register"')
_UNIT = word(',"unit":"')
_V_VERSION = word(',"v":1,"version":')
_CLOSED = word("}")
_AT_MS = word('{"at_ms":')
_COUNT = word(',"count":')
_PLACES = word(',"decimals":')
_RESET = word(',"event":"reset"')
_FLAGS = word(',"flags":[')
_SEQUENCE = word(',"sequence":')
_WORDS = word(',"words":[')


def scan_curated(frames: Frames, names: Names) -> ReadingColumns:
    """The readings among records of reads.curated; whatever is not written as `codec.encode` writes a reading is in `others`."""
    data = np.frombuffer(frames.data, np.uint8)
    starts, ends = frames.payload_start, frames.payload_end
    size = int(ends[-1] - starts[0]) if len(frames) else 0
    table, elements, others = _scan(data, starts, ends, size, names.tables(len(frames), size))
    names.note_new()
    columns: Any = [
        table[_AT], table[_KIND].astype(np.uint8), *table[_NAME:_DECIMALS], table[_DECIMALS].astype(np.uint8),
        table[_IS_RESET].astype(np.bool_), *elements, others,
    ]  # fmt: skip
    return ReadingColumns(*columns)


@compiled_with_arrays
def _scan(
    data: Bytes, starts: Ints, ends: Ints, size: int, names: tuple[Bytes, Ints, Ints, Ints, Ints]
) -> tuple[Ints, Elements, Ints]:
    table = np.empty((_ROWS, starts.size), np.int64)
    others = np.empty(starts.size, np.int64)
    elements = room_for(size)
    count, element = 0, 0
    for at in range(starts.size):
        row = table[:, count]
        row[_AT] = at
        row[_FIRST] = element
        if _intervals(data, starts[at], ends[at], row, elements, names) or _register(
            data, starts[at], ends[at], row, elements, names
        ):
            element += row[_NUMBER]
            count += 1
        else:
            others[at - count] = at
    values, are_numbers, qualities = elements
    taken = (values[:element].copy(), are_numbers[:element].copy(), qualities[:element].copy())
    return table[:, :count].copy(), taken, others[: starts.size - count].copy()


@compiled
def _intervals(data: Bytes, start: int, end: int, row: Ints, elements: Elements, names: Any) -> bool:
    """Take a record of intervals into a row; False, and the row and elements are of no meaning, when it is none."""
    if not stands(data, start, end, _DEVICE):
        return False
    device, device_end, at = named(data, start, end, _DEVICE)
    row[_INTERVAL], at = length(data, skip(data, at, end, _INTERVAL_S), end)
    has_origin, at = _origin(data, at, end, row)
    code, at = quality(data, skip(data, at, end, _QUALITY), end)
    first = row[_FIRST]
    after, at = quantities(data, skip(data, at, end, _QUANTITIES), end, elements, first)
    qualities = elements[2][first:after]
    qualities[:] = code
    if stands(data, at, end, _RANGES):
        at = ranges(data, at + _RANGES.size, end, qualities)
    at = _raw_and_received(data, at, end, row)
    register, register_end, at = named(data, at, end, _REGISTER_NAME)
    row[_START], at = bounded(data, skip(data, at, end, _START_MS), end, -_LATEST_MS, _LATEST_MS)
    row[_SUB], at = bounded(data, skip(data, at, end, _SUB_INDEX), end, 0, 2**32)
    point, point_end, at = named(data, at, end, _POINT)
    unit, unit_end, at = named(data, skip(data, at, end, _TYPE_INTERVALS), end, _UNIT)
    row[_VERSION], at = bounded(data, skip(data, at, end, _V_VERSION), end, -_MOST_VERSION, _MOST_VERSION)
    if skip(data, at, end, _CLOSED) != end:
        return False
    row[_KIND], row[_NUMBER], row[_DECIMALS], row[_IS_RESET] = INTERVALS, after - first, 0, 0
    if not has_origin:
        _cite_itself(row)
    row[_NAME] = number_of(
        names, data, (point, device, register, unit), (point_end, device_end, register_end, unit_end)
    )
    return True


@compiled
def _register(data: Bytes, start: int, end: int, row: Ints, elements: Elements, names: Any) -> bool:
    """Take a register read into a row; False, and the row and elements are of no meaning, when it is none."""
    if not stands(data, start, end, _AT_MS):
        return False
    values, are_numbers, qualities = elements
    first = row[_FIRST]
    row[_START], at = bounded(data, start + _AT_MS.size, end, -_LATEST_MS, _LATEST_MS)
    values[first], at = integer(data, skip(data, at, end, _COUNT), end)
    row[_DECIMALS], at = bounded(data, skip(data, at, end, _PLACES), end, 0, 18)
    device, device_end, at = named(data, at, end, _DEVICE_LATER)
    row[_IS_RESET] = stands(data, at, end, _RESET)
    at = at + _RESET.size if row[_IS_RESET] else at
    if stands(data, at, end, _FLAGS):
        at = texts_end(data, at + _FLAGS.size, end)
    has_origin, at = _origin(data, at, end, row)
    qualities[first], at = quality(data, skip(data, at, end, _QUALITY), end)
    at = _raw_and_received(data, at, end, row)
    register, register_end, at = named(data, at, end, _REGISTER_NAME)
    at = optional_integer(data, at, end, _SEQUENCE)
    row[_SUB], at = bounded(data, skip(data, at, end, _SUB_INDEX), end, 0, 2**32)
    point, point_end, at = named(data, at, end, _POINT)
    unit, unit_end, at = named(data, skip(data, at, end, _TYPE_REGISTER), end, _UNIT)
    row[_VERSION], at = bounded(data, skip(data, at, end, _V_VERSION), end, -_MOST_VERSION, _MOST_VERSION)
    if stands(data, at, end, _WORDS):
        at = words_end(data, at + _WORDS.size, end)
    if skip(data, at, end, _CLOSED) != end:
        return False
    are_numbers[first] = True
    row[_KIND], row[_NUMBER], row[_INTERVAL] = REGISTER, 1, 0
    if not has_origin:
        _cite_itself(row)
    row[_NAME] = number_of(
        names, data, (point, device, register, unit), (point_end, device_end, register_end, unit_end)
    )
    return True


@compiled
def _origin(data: Bytes, at: int, end: int, row: Ints) -> tuple[bool, int]:
    """Take the place where a record published again was first received, if it is there."""
    if not stands(data, at, end, _ORIGIN):
        return False, at
    row[_ORIGIN_PARTITION], at = bounded(data, at + _ORIGIN.size, end, 0, _MOST_PARTITIONS)
    row[_ORIGIN_OFFSET], at = bounded(data, skip(data, at, end, _COMMA), end, 0, _MOST)
    row[_ORIGIN_SUB], at = bounded(data, skip(data, at, end, _COMMA), end, 0, 2**32)
    return True, skip(data, at, end, _LIST_CLOSED)


@compiled
def _cite_itself(row: Ints) -> None:
    """A record that was not published again is its own origin."""
    row[_ORIGIN_PARTITION], row[_ORIGIN_OFFSET], row[_ORIGIN_SUB] = row[_RAW_PARTITION], row[_RAW_OFFSET], row[_SUB]


@compiled
def _raw_and_received(data: Bytes, at: int, end: int, row: Ints) -> int:
    """Take the coordinates of the carrier and the time of receipt."""
    row[_RAW_PARTITION], at = bounded(data, skip(data, at, end, _RAW), end, 0, _MOST_PARTITIONS)
    row[_RAW_OFFSET], at = bounded(data, skip(data, at, end, _COMMA), end, 0, _MOST)
    at = skip(data, skip(data, at, end, _LIST_CLOSED), end, _RECEIVED_MS)
    row[_RECEIVED], at = bounded(data, at, end, -_LATEST_MS, _LATEST_MS)
    return at
