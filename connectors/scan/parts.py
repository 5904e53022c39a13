"""What readings are made of besides plain texts and integers: qualities, lengths, ranges, sources."""

from __future__ import annotations

from typing import Final

from connectors.scan.tokens import Bytes, bounded, integer, name_end, skip, stands, text_end, word
from state.codes import ACTUAL, CALCULATED, ESTIMATED, MISSING, SUBSTITUTED
from state.compiling import compiled

LOCAL_DAYS: Final = -1
"""Stands for LOCAL_DAY as a length in seconds."""
MOST_SECONDS: Final = 86_400

_ACTUAL: Final = word('"ACTUAL"')
_CALCULATED: Final = word('"CALCULATED"')
_ESTIMATED: Final = word('"ESTIMATED"')
_MISSING: Final = word('"MISSING"')
_SUBSTITUTED: Final = word('"SUBSTITUTED"')
_LOCAL_DAY: Final = word('"LOCAL_DAY"')
_FIRST: Final = word('{"first":')
_LAST: Final = word(',"last":')
_METHOD: Final = word(',"method":"')
_QUALITY: Final = word(',"quality":')
_REASON: Final = word(',"reason":"')
_FILE: Final = word('"file":"')
_IMPORT: Final = word('"import":"')
_LINE: Final = word('"line":')
_OFFSET: Final = word('"offset_ms":')
_RECEIVED: Final = word('"received_ms":')
_SENT: Final = word(',"sent_ms":')
_UNCERTAINTY: Final = word(',"uncertainty_ms":')
_QUOTE: Final = word('"')
_COMMA: Final = word(",")
_OPENED: Final = word("{")
_CLOSED: Final = word("}")
_LIST_CLOSED: Final = word("]")


@compiled
def quality(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The code of a quality's name, and the place after it."""
    if stands(data, at, end, _ACTUAL):
        return ACTUAL, at + _ACTUAL.size
    if stands(data, at, end, _ESTIMATED):
        return ESTIMATED, at + _ESTIMATED.size
    if stands(data, at, end, _SUBSTITUTED):
        return SUBSTITUTED, at + _SUBSTITUTED.size
    if stands(data, at, end, _MISSING):
        return MISSING, at + _MISSING.size
    if stands(data, at, end, _CALCULATED):
        return CALCULATED, at + _CALCULATED.size
    return 0, -1


@compiled
def length(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Seconds of an interval or LOCAL_DAYS, and the place after them."""
    if stands(data, at, end, _LOCAL_DAY):
        return LOCAL_DAYS, at + _LOCAL_DAY.size
    return bounded(data, at, end, 1, MOST_SECONDS)


@compiled
def optional_text(data: Bytes, at: int, end: int, opening: Bytes) -> int:
    """The place after a field that is a text, or where it would be; `opening` is its name up to the text's first quote."""
    if stands(data, at, end, opening):
        return skip(data, text_end(data, at + opening.size, end), end, _QUOTE)
    return at


@compiled
def optional_integer(data: Bytes, at: int, end: int, opening: Bytes) -> int:
    """The place after a field that is an integer, or where it would be."""
    if stands(data, at, end, opening):
        return integer(data, at + opening.size, end)[1]
    return at


@compiled
def named(data: Bytes, at: int, end: int, opening: Bytes) -> tuple[int, int, int]:
    """First and last place of the text of a field, not empty, and the place after its closing quote."""
    start = skip(data, at, end, opening)
    stop = name_end(data, start, end)
    return start, stop, skip(data, stop, end, _QUOTE)


@compiled
def one_range(data: Bytes, at: int, end: int) -> tuple[int, int, int, int, int]:
    """(first, last, code of quality, place after `last`, place after all of it) of one stretch in `ranges`."""
    first, place = integer(data, skip(data, at, end, _FIRST), end)
    last, after_last = integer(data, skip(data, place, end, _LAST), end)
    place = optional_text(data, after_last, end, _METHOD)
    code, place = quality(data, skip(data, place, end, _QUALITY), end)
    place = optional_text(data, place, end, _REASON)
    return first, last, code, after_last, skip(data, place, end, _CLOSED)


@compiled
def source_end(data: Bytes, at: int, end: int) -> int:
    """The place after an object that says where a file's record came from: file, import and line, any of them absent."""
    place = skip(data, at, end, _OPENED)
    number = 0
    if stands(data, place, end, _FILE):
        place = skip(data, text_end(data, place + _FILE.size, end), end, _QUOTE)
        number += 1
    comma = _after_comma(data, place, end, number)
    if stands(data, comma, end, _IMPORT):
        place = skip(data, text_end(data, comma + _IMPORT.size, end), end, _QUOTE)
        number += 1
    comma = _after_comma(data, place, end, number)
    if stands(data, comma, end, _LINE):
        _, place = bounded(data, comma + _LINE.size, end, 0, 2**32 - 1)
    return skip(data, place, end, _CLOSED)


@compiled
def timing_end(data: Bytes, at: int, end: int) -> int:
    """The place after an object that says when a collector asked and was answered, and how good its clock was."""
    place = skip(data, at, end, _OPENED)
    if stands(data, place, end, _OFFSET):
        place = skip(data, integer(data, place + _OFFSET.size, end)[1], end, _COMMA)
    _, place = bounded(data, skip(data, place, end, _RECEIVED), end, -(10**15), 10**15)
    _, place = bounded(data, skip(data, place, end, _SENT), end, -(10**15), 10**15)
    if stands(data, place, end, _UNCERTAINTY):
        _, place = bounded(data, place + _UNCERTAINTY.size, end, 0, 10**12)
    return skip(data, place, end, _CLOSED)


@compiled
def _after_comma(data: Bytes, at: int, end: int, number: int) -> int:
    """Where the next field begins when so many stand before it."""
    return skip(data, at, end, _COMMA) if number else at


@compiled
def words_end(data: Bytes, at: int, end: int) -> int:
    """The place after the elements of a list of register words and its bracket; the opening one stands before `at`."""
    if stands(data, at, end, _LIST_CLOSED):
        return at + 1
    while True:
        _, at = bounded(data, at, end, 0, 65_535)
        if not stands(data, at, end, _COMMA):
            return skip(data, at, end, _LIST_CLOSED)
        at += 1


@compiled
def texts_end(data: Bytes, at: int, end: int) -> int:
    """The place after the elements of a list of texts and its bracket; the opening one stands before `at`."""
    if stands(data, at, end, _LIST_CLOSED):
        return at + 1
    while True:
        at = skip(data, text_end(data, skip(data, at, end, _QUOTE), end), end, _QUOTE)
        if not stands(data, at, end, _COMMA):
            return skip(data, at, end, _LIST_CLOSED)
        at += 1
