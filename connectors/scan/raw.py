"""Raw readings to columns, as routing takes them: what decides where a reading goes, and where its fields lie in the bytes."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from connectors.file_log.frames import PlacedRecords
from connectors.scan import raw_table as row_of
from connectors.scan.columns import INTERVALS, REGISTER, Ints
from connectors.scan.elements import ranges_end, values_end
from connectors.scan.names import Names, number_of
from connectors.scan.parts import (
    length,
    named,
    optional_integer,
    optional_text,
    quality,
    source_end,
    texts_end,
    timing_end,
    words_end,
)
from connectors.scan.tokens import Bytes, bounded, integer, skip, stands, word
from state.compiling import compiled, compiled_with_arrays

_LATEST_MS: Final = 10**15
_MOST_VERSION: Final = 2**62

_DEVICE = word('{"device":"')
_DEVICE_LATER = word(',"device":"')
_INTERVAL_S = word(',"interval_s":')
_METHOD = word(',"method":"')
_QUALITY = word(',"quality":')
_QUANTITIES = word(',"quantities_nano":[')
_QUANTITY = word(',"quantity_nano":')
_RANGES = word(',"ranges":[')
_REASON = word(',"reason":"')
_REGISTER_NAME = word(',"register":"')
_SEQUENCE = word(',"sequence":')
_SOURCE = word(',"source":')
_START_MS = word(',"start_ms":')
_TYPE_INTERVAL = word(',"type":"interval"')
_TYPE_WINDOW = word(',"type":"window"')
_TYPE_DAY = word(',"type":"day"')
_TYPE_REGISTER = word(',"type":"register"')
_UNIT = word(',"unit":"')
_V_VERSION = word(',"v":1,"version":')
_CLOSED = word("}")
_LIST_CLOSED = word("]")
_AT_MS = word('{"at_ms":')
_COUNT = word(',"count":')
_PLACES = word(',"decimals":')
_RESET = word(',"event":"reset"')
_FLAGS = word(',"flags":[')
_WORDS = word(',"words":[')
_READ_ID = word(',"read_id":"')
_TIMING = word(',"timing":')


class RawColumns(NamedTuple):
    """Raw readings whose key is their device: a position a record, in the order of the log.

    `at`: position of the record in its batch. `kind`: INTERVALS or REGISTER. `type`: code in TYPES. `name`: number of its (device,
    register, unit). `start_ms`: of the first interval, or a register read's instant. `interval_s`: seconds, LOCAL_DAYS (-1) for local days,
    0 for a register read. `number`: elements, at least one. `table`: all of these and the places of fields, as rows (see `raw_table`).
    `others`: positions in the batch of the records that are not among these.
    """

    at: Ints
    kind: Ints
    type: Ints
    name: Ints
    start_ms: Ints
    interval_s: Ints
    number: Ints
    table: Ints
    others: Ints


def scan_raw(frames: PlacedRecords, names: Names) -> RawColumns:
    """The readings among records of reads.raw; whatever is not written as `codec.encode` writes a reading is in `others`."""
    data = np.frombuffer(frames.data, np.uint8)
    starts, ends = frames.payload_start, frames.payload_end
    size = int(ends[-1] - starts[0]) if len(starts) else 0
    tables = names.tables(len(starts), size)
    table, others = _scan(data, frames.key_start, frames.key_end, starts, ends, tables)
    names.note_new()
    columns: Any = [*table[: row_of.HEAD_END], table, others]
    return RawColumns(*columns)


@compiled_with_arrays
def _scan(data: Bytes, keys: Ints, key_ends: Ints, starts: Ints, ends: Ints, names: Any) -> tuple[Ints, Ints]:
    table = np.empty((row_of.ROWS, starts.size), np.int64)
    others = np.empty(starts.size, np.int64)
    count = 0
    for at in range(starts.size):
        row = table[:, count]
        if _intervals(data, starts[at], ends[at], row, keys[at], key_ends[at], names) or _register(
            data, starts[at], ends[at], row, keys[at], key_ends[at], names
        ):
            row[row_of.AT] = at
            count += 1
        else:
            others[at - count] = at
    return table[:, :count].copy(), others[: starts.size - count].copy()


@compiled
def _intervals(data: Bytes, start: int, end: int, row: Ints, key: int, key_end: int, names: Any) -> bool:
    """Take an `interval`, `window` or `day` into a row; False, and the row is of no meaning, when it is none."""
    if not stands(data, start, end, _DEVICE):
        return False
    device, device_end, at = named(data, start, end, _DEVICE)
    row[row_of.LENGTH], at = length(data, skip(data, at, end, _INTERVAL_S), end)
    row[row_of.HEAD_END] = at
    at = optional_text(data, at, end, _METHOD)
    row[row_of.QUALITY_FIELD] = at
    _, at = quality(data, skip(data, at, end, _QUALITY), end)
    row[row_of.QUALITY_FIELD_END] = at
    is_single = stands(data, at, end, _QUANTITY)
    at = at + _QUANTITY.size if is_single else skip(data, at, end, _QUANTITIES)
    row[row_of.VALUES] = at
    row[row_of.NUMBER], at = values_end(data, at, end, is_single)
    row[row_of.VALUES_END] = at
    at = at if is_single else skip(data, at, end, _LIST_CLOSED)
    row[row_of.RANGES] = -1
    if stands(data, at, end, _RANGES):
        row[row_of.RANGES] = at + _RANGES.size
        at = ranges_end(data, at + _RANGES.size, end)
    at = optional_text(data, at, end, _REASON)
    row[row_of.REGISTER_FIELD] = at
    register, register_end, at = named(data, at, end, _REGISTER_NAME)
    row[row_of.REGISTER_FIELD_END] = at
    at = _sequence_and_source(data, at, end)[1]
    row[row_of.START_FIELD] = at
    row[row_of.START], at = bounded(data, skip(data, at, end, _START_MS), end, -_LATEST_MS, _LATEST_MS)
    row[row_of.START_FIELD_END] = at
    row[row_of.TYPE], at = _type(data, at, end, is_single)
    row[row_of.TAIL] = at
    unit, unit_end, at = named(data, at, end, _UNIT)
    _, at = bounded(data, skip(data, at, end, _V_VERSION), end, -_MOST_VERSION, _MOST_VERSION)
    if skip(data, at, end, _CLOSED) != end or not _is_same(data, key, key_end, device, device_end):
        return False
    row[row_of.KIND] = INTERVALS
    row[row_of.NAME] = number_of(names, data, (device, register, unit), (device_end, register_end, unit_end))
    return True


@compiled
def _register(data: Bytes, start: int, end: int, row: Ints, key: int, key_end: int, names: Any) -> bool:
    """Take a register read into a row; False, and the row is of no meaning, when it is none."""
    if not stands(data, start, end, _AT_MS):
        return False
    row[row_of.START], at = bounded(data, start + _AT_MS.size, end, -_LATEST_MS, _LATEST_MS)
    _, at = integer(data, skip(data, at, end, _COUNT), end)
    _, at = bounded(data, skip(data, at, end, _PLACES), end, 0, 18)
    device, device_end, at = named(data, at, end, _DEVICE_LATER)
    at = at + _RESET.size if stands(data, at, end, _RESET) else at
    if stands(data, at, end, _FLAGS):
        at = texts_end(data, at + _FLAGS.size, end)
    _, at = quality(data, skip(data, at, end, _QUALITY), end)
    row[row_of.HEAD_END] = at
    if stands(data, at, end, _READ_ID):
        at = named(data, at, end, _READ_ID)[2]
    row[row_of.REGISTER_FIELD] = at
    register, register_end, at = named(data, at, end, _REGISTER_NAME)
    row[row_of.REGISTER_FIELD_END], at = _sequence_and_source(data, at, end)
    if stands(data, at, end, _TIMING):
        at = timing_end(data, at + _TIMING.size, end)
    row[row_of.TAIL] = at
    unit, unit_end, at = named(data, skip(data, at, end, _TYPE_REGISTER), end, _UNIT)
    _, at = bounded(data, skip(data, at, end, _V_VERSION), end, -_MOST_VERSION, _MOST_VERSION)
    if stands(data, at, end, _WORDS):
        at = words_end(data, at + _WORDS.size, end)
    if skip(data, at, end, _CLOSED) != end or not _is_same(data, key, key_end, device, device_end):
        return False
    row[row_of.KIND], row[row_of.TYPE], row[row_of.LENGTH], row[row_of.NUMBER] = REGISTER, row_of.REGISTER_READ, 0, 1
    row[row_of.NAME] = number_of(names, data, (device, register, unit), (device_end, register_end, unit_end))
    return True


@compiled
def _sequence_and_source(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The places after a sequence number and after a source, where they are there."""
    after_sequence = optional_integer(data, at, end, _SEQUENCE)
    if stands(data, after_sequence, end, _SOURCE):
        return after_sequence, source_end(data, after_sequence + _SOURCE.size, end)
    return after_sequence, after_sequence


@compiled
def _type(data: Bytes, at: int, end: int, is_single: bool) -> tuple[int, int]:
    """The code of the type of a record of one quantity, or of a list; and the place after it."""
    if is_single:
        return row_of.INTERVAL, skip(data, at, end, _TYPE_INTERVAL)
    if stands(data, at, end, _TYPE_DAY):
        return row_of.DAY, at + _TYPE_DAY.size
    return row_of.WINDOW, skip(data, at, end, _TYPE_WINDOW)


@compiled
def _is_same(data: Bytes, start: int, end: int, other: int, other_end: int) -> bool:
    """Whether two stretches are the same bytes."""
    if end - start != other_end - other:
        return False
    for step in range(end - start):  # noqa: SIM110 (compiled, this is the fast form)
        if data[start + step] != data[other + step]:
            return False
    return True
