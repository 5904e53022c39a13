"""Pages of records packed column by column: a field that is the same throughout costs two bytes, numbers as many bits as they differ in.

A packed column is

    width    one byte: bits a value; 0 for a column of one value
    base     the least value, as a varint (zigzag)
    step     a varint, of 64-bit fields with a width: the greatest common divisor of what the values have above the base
    values   (value − base) ÷ step, `width` bits each, from the lowest bit of the first byte on

Quantities in whole Wh (10⁶ nano-kWh) so take some ten bits, instants on a grid seven. A width above 56 is written as 64.
Bounds are the caller's: `pack_pages` needs `most_packed` bytes a page, and `unpack_pages` only what `pack_pages` gave.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.compiling import compiled

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Pages = NDArray[np.int64]
"""By page, record and word; one page by record and word."""

_WIDEST: Final = 56
"""The most bits that are packed: with the seven left over of the byte before they fill one word."""


def columns_of(kind: np.dtype[Any]) -> Ints:
    """(word, shift, bits) of each field of a record of 64-bit words."""
    found = []
    for field, at, *_ in (kind.fields or {}).values():
        found.append((at // 8, at % 8 * 8, field.itemsize * 8))
    return np.array(found, np.int64)


def most_packed(kind: np.dtype[Any], records: int) -> int:
    """As many bytes as a packed page of so many records can take."""
    return records * kind.itemsize + len(kind.names or ()) * (1 + 2 * 10 + 1)


# -- packing ----------------------------------------------------------------------------------------------------------


@compiled
def pack_pages(pages: Pages, numbers: Ints, columns: Ints, values: Ints, out: Bytes, at: int) -> int:
    """Pack the pages of these numbers into `out` from `at` on; returns where they end. `values`: room for one column."""
    for place in range(len(numbers)):
        page = pages[numbers[place]]
        for column in range(len(columns)):
            word, shift, bits = columns[column, 0], columns[column, 1], columns[column, 2]
            mask = (1 << bits) - 1 if bits < 64 else -1
            least = page[0, word] >> shift & mask
            most = least
            for record in range(len(page)):
                value = page[record, word] >> shift & mask
                values[record] = value
                least, most = min(least, value), max(most, value)
            at = _pack_column(values, (least, most), bits == 64, out, at)
    return at


@compiled
def _pack_column(values: Ints, between: tuple[int, int], is_wide: bool, out: Bytes, at: int) -> int:
    least, most = between
    width = _bits(np.uint64(most - least))
    step = np.uint64(1)
    if width and is_wide:
        step = _common_step(values, least)
        width = _bits(np.uint64(most - least) // step)
    if width > _WIDEST:
        width, step = 64, np.uint64(1)
    out[at] = width
    at = _put_varint(np.uint64(least << 1 ^ least >> 63), out, at + 1)
    if width == 0:
        return at
    if is_wide:
        at = _put_varint(step, out, at)
    return _put_values(values, (least, step, width), out, at)


@compiled
def _common_step(values: Ints, least: int) -> np.uint64:
    """The greatest common divisor of what the values have above the least, which not all are."""
    step = np.uint64(0)
    for record in range(len(values)):
        other = np.uint64(values[record] - least)
        if step:
            other %= step
        while other:
            step, other = other, step % other
        if step == 1:
            break
    return step


@compiled
def _put_values(values: Ints, packing: tuple[int, np.uint64, int], out: Bytes, at: int) -> int:
    least, step, width = packing
    held, bits = np.uint64(0), np.uint64(0)
    for record in range(len(values)):
        value = np.uint64(values[record] - least)
        if width == 64:
            for byte in range(8):
                out[at + byte] = value >> np.uint64(8 * byte) & np.uint64(255)
            at += 8
            continue
        if step != 1:
            value //= step
        held |= value << bits
        bits += np.uint64(width)
        while bits >= np.uint64(8):
            out[at] = held & np.uint64(255)
            at += 1
            held >>= np.uint64(8)
            bits -= np.uint64(8)
    if bits:
        out[at] = held
        at += 1
    return at


@compiled
def _bits(value: np.uint64) -> int:
    """How many bits a value takes."""
    number = 0
    while value:
        value >>= np.uint64(1)
        number += 1
    return number


@compiled
def _put_varint(value: np.uint64, out: Bytes, at: int) -> int:
    """Seven bits a byte, the lowest first; the top bit of a byte says that more follow."""
    while value >= np.uint64(128):
        out[at] = value & np.uint64(127) | np.uint64(128)
        value >>= np.uint64(7)
        at += 1
    out[at] = value
    return at + 1


# -- unpacking --------------------------------------------------------------------------------------------------------


@compiled
def unpack_pages(data: Bytes, at: int, columns: Ints, numbers: Ints, pages: Pages) -> int:
    """Lay packed pages from `at` on where their numbers say; returns where they end."""
    for place in range(len(numbers)):
        page = pages[numbers[place]]
        page[:] = 0
        for column in range(len(columns)):
            at = _unpack_column(data, at, (columns[column, 0], columns[column, 1], columns[column, 2]), page)
    return at


@compiled
def _unpack_column(data: Bytes, at: int, column: tuple[int, int, int], page: Pages) -> int:
    word, shift, bits = column
    width = np.int64(data[at])
    coded, at = _get_varint(data, at + 1)
    base = np.int64(coded >> np.uint64(1)) ^ -np.int64(coded & np.uint64(1))
    if width == 0:
        if base != 0:
            for record in range(len(page)):
                page[record, word] |= base << shift
        return at
    step = np.uint64(1)
    if bits == 64:
        step, at = _get_varint(data, at)
    if width == 64:
        for record in range(len(page)):
            whole = np.uint64(0)
            for byte in range(8):
                whole |= np.uint64(data[at + byte]) << np.uint64(8 * byte)
            page[record, word] |= base + np.int64(whole)
            at += 8
        return at
    held, have, mask = np.uint64(0), np.uint64(0), np.uint64((1 << width) - 1)
    for record in range(len(page)):
        while have < np.uint64(width):
            held |= np.uint64(data[at]) << have
            at += 1
            have += np.uint64(8)
        page[record, word] |= base + np.int64((held & mask) * step) << shift
        held >>= np.uint64(width)
        have -= np.uint64(width)
    return at


@compiled
def _get_varint(data: Bytes, at: int) -> tuple[np.uint64, int]:
    value, shift = np.uint64(0), np.uint64(0)
    while data[at] >= 128:
        value |= np.uint64(data[at] & 127) << shift
        shift += np.uint64(7)
        at += 1
    return value | np.uint64(data[at]) << shift, at + 1
