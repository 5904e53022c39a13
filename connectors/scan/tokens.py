"""The pieces of a JSON text as our encoder writes it: words, texts and integers, without white space or escapes.

A place is a position in `data`, and -1 once something was not as expected; every function hands -1 on. So a record is read as
one straight line of steps, and only the last place is looked at. Nothing at or beyond `end` is read.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from state.compiling import compiled

Bytes = NDArray[np.uint8]

_QUOTE: Final = 34
_MINUS: Final = 45
_ZERO: Final = 48
_BACKSLASH: Final = 92
_MOST_DIGITS: Final = 18
"""So many digits are below 2⁶³ whatever they are."""
_TENTH: Final = 2**63 // 10
"""Followed by a 7 it is the greatest integer, followed by an 8 and negative the least."""


def word(text: str) -> Bytes:
    """A word of the grammar, for `skip` and `stands`."""
    return np.frombuffer(text.encode(), np.uint8)


@compiled
def stands(data: Bytes, at: int, end: int, expected: Bytes) -> bool:
    """Whether the word stands at a place."""
    if at < 0 or at + expected.size > end:
        return False
    for step in range(expected.size):  # noqa: SIM110 (compiled, this is the fast form)
        if data[at + step] != expected[step]:
            return False
    return True


@compiled
def skip(data: Bytes, at: int, end: int, expected: Bytes) -> int:
    """The place after a word that must stand here."""
    return at + expected.size if stands(data, at, end, expected) else -1


@compiled
def text_end(data: Bytes, at: int, end: int) -> int:
    """The place of the quote that ends the text beginning here; the text may be empty, and is UTF-8 without escapes."""
    while 0 <= at < end:
        byte = data[at]
        if byte == _QUOTE:
            return at
        if byte < 32 or byte == _BACKSLASH:
            return -1
        at = at + 1 if byte < 128 else _after_sequence(data, at, end)
    return -1


@compiled
def name_end(data: Bytes, at: int, end: int) -> int:
    """As `text_end`, for a text that may not be empty."""
    found = text_end(data, at, end)
    return found if found > at else -1


@compiled
def _after_sequence(data: Bytes, at: int, end: int) -> int:
    """The place after a UTF-8 sequence of two to four bytes; not one too long, a surrogate, or beyond U+10FFFF."""
    first = data[at]
    low, high = 0x80, 0xBF  # of the second byte
    if 0xC2 <= first <= 0xDF:
        length = 2
    elif 0xE0 <= first <= 0xEF:
        length = 3
        if first == 0xE0:
            low = 0xA0
        elif first == 0xED:
            high = 0x9F
    elif 0xF0 <= first <= 0xF4:
        length = 4
        if first == 0xF0:
            low = 0x90
        elif first == 0xF4:
            high = 0x8F
    else:
        return -1
    if at + length > end or not low <= data[at + 1] <= high:
        return -1
    for step in range(2, length):
        if not 0x80 <= data[at + step] <= 0xBF:
            return -1
    return at + length


@compiled
def integer(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """An integer of 64 bits as it is written, and the place after it: no zeros before it, no sign before zero."""
    if at < 0:
        return 0, -1
    is_negative = at < end and data[at] == _MINUS
    first = at + 1 if is_negative else at
    place = first
    number: Any = np.int64(0)
    while place < end and place < first + _MOST_DIGITS:
        digit = np.int64(data[place]) - _ZERO
        if digit < 0 or digit > 9:
            break
        number = number * 10 + digit
        place += 1
    if place == first or (data[first] == _ZERO and (place > first + 1 or is_negative)):
        return 0, -1
    if is_negative:
        number = -number
    if place == first + _MOST_DIGITS and place < end:
        digit = np.int64(data[place]) - _ZERO
        if 0 <= digit <= 9:
            if abs(number) > _TENTH or (abs(number) == _TENTH and digit > 7 + is_negative):
                return 0, -1
            return number * 10 + (-digit if is_negative else digit), place + 1
    return number, place


@compiled
def bounded(data: Bytes, at: int, end: int, low: int, high: int) -> tuple[int, int]:
    """An integer from low to high, and the place after it."""
    number, place = integer(data, at, end)
    if place < 0 or number < low or number > high:
        return 0, -1
    return number, place
