"""Recorded frames, RTU or MBAP, as a table: for somebody who looks at what went over a line. Pure.

A line of text is a frame, or several one after the other, in hexadecimal; what stands before `>`, `<`, `]` or a colon and a blank is a
remark, `#` begins a comment. Direction follows from the frame itself: in RTU framing, a request for registers has an even number of bytes,
an answer an odd one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymodbus.framer.rtu import FramerRTU

from edge_collector.profile import Profile, RegisterSpec, Span
from edge_collector.words import UnableToDecode, decode_measurement

REGISTER_FUNCTIONS: Final = (3, 4)
REQUEST_BYTES: Final = 8
EXCEPTION_BYTES: Final = 5
MBAP_BYTES: Final = 7
_SEPARATORS: Final = re.compile(r"0x|[\s,;:|-]+", re.IGNORECASE)
_REMARK: Final = re.compile(r"^.*(?:[>\]<]|: )")


class UnableToInspect(Exception):
    """The text is no hexadecimal; the message names line and column."""


class Direction(StrEnum):
    """Who sent a frame."""

    REQUEST = "request"
    ANSWER = "answer"
    UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class InspectedFrame:
    """One frame. What it does not tell is null; an answer's `address` is that of the request before it. `is_sound`: its checksum, or its
    length field, agrees with it. `values` are (register, value with unit) by a profile."""

    direction: Direction
    data: bytes
    is_sound: bool
    transaction: int | None = None
    unit: int | None = None
    function: int | None = None
    address: int | None = None
    count: int | None = None
    exception: int | None = None
    words: tuple[int, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


def inspect_text(text: str, profile: Profile | None = None) -> list[InspectedFrame]:
    """All frames of a dump, in order. Raises `UnableToInspect`."""
    asked: dict[tuple[int | None, int | None], InspectedFrame] = {}
    found: list[InspectedFrame] = []
    for data in _frames(text):
        transaction, pdu, is_sound = _unwrapped(data)
        request = asked.get((pdu[0], pdu[1] & 0x7F)) if len(pdu) > 1 else None
        frame = _frame(data, transaction, pdu, is_sound, request, profile)
        if frame.direction is Direction.REQUEST:
            asked[frame.unit, frame.function] = frame
        found.append(frame)
    return found


def table_of(frames: Sequence[InspectedFrame]) -> str:
    """One line a frame, and one a register below its answer."""
    header = ("direction", "id", "unit", "fn", "address", "count", "sound", "words")
    rows: list[tuple[str, ...]] = [header]
    for frame in frames:
        rows.append(_row(frame))
        rows += [("", "", "", "", "", "", "", f"{register} = {value}") for register, value in frame.values]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(frame: InspectedFrame) -> tuple[str, ...]:
    words = " ".join(f"{word:04X}" for word in frame.words)
    if frame.exception is not None:
        words = f"exception {frame.exception}"
    if frame.direction is Direction.UNKNOWN:
        words = frame.data.hex(" ").upper()
    numbers = (frame.transaction, frame.unit, frame.function, frame.address, frame.count)
    return (
        frame.direction,
        *("" if one is None else str(one) for one in numbers),
        "yes" if frame.is_sound else "NO",
        words,
    )


def _frames(text: str) -> Iterator[bytes]:
    for number, line in enumerate(text.splitlines(), 1):
        digits = _SEPARATORS.sub("", _REMARK.sub("", line.split("#")[0]))
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            raise UnableToInspect(f"line {number}: {line.strip()!r} is no pairs of hexadecimal digits") from None
        while data:
            size = _size(data)
            yield data[:size]
            data = data[size:]


def _size(data: bytes) -> int:
    """Of the first frame; all there is, when it does not look like one."""
    if _is_mbap(data):
        return min(6 + int.from_bytes(data[4:6], "big"), len(data))
    candidates = [REQUEST_BYTES, EXCEPTION_BYTES, 5 + data[2] if len(data) > 2 else 0]
    return next((size for size in candidates if 4 <= size <= len(data) and _has_crc(data[:size])), len(data))


def _is_mbap(data: bytes) -> bool:
    return (
        len(data) > MBAP_BYTES
        and data[2:4] == b"\0\0"
        and 2 <= int.from_bytes(data[4:6], "big") <= 254
        and not _has_crc(data)
    )


def _has_crc(data: bytes) -> bool:
    return len(data) > 3 and FramerRTU.compute_CRC(data[:-2]) == int.from_bytes(data[-2:], "big")


def _unwrapped(data: bytes) -> tuple[int | None, bytes, bool]:
    """(transaction, unit with function and data, soundness)."""
    if _is_mbap(data):
        is_whole = len(data) == 6 + int.from_bytes(data[4:6], "big")
        return int.from_bytes(data[:2], "big"), data[6:], is_whole
    return None, data[:-2], _has_crc(data)


def _frame(
    data: bytes,
    transaction: int | None,
    pdu: bytes,
    is_sound: bool,
    request: InspectedFrame | None,
    profile: Profile | None,
) -> InspectedFrame:
    """`pdu` begins with the unit; `request` is the last one to it with this function."""
    unit, function = (pdu[0], pdu[1]) if len(pdu) > 2 else (None, None)
    address = request.address if request else None
    if unit is None or function is None:
        return InspectedFrame(Direction.UNKNOWN, data, is_sound, transaction)
    if function & 0x80 and len(pdu) == 3:
        return InspectedFrame(
            Direction.ANSWER, data, is_sound, transaction, unit, function & 0x7F, address, exception=pdu[2]
        )
    if function in REGISTER_FUNCTIONS and len(pdu) == 6:
        address, count = int.from_bytes(pdu[2:4], "big"), int.from_bytes(pdu[4:6], "big")
        return InspectedFrame(Direction.REQUEST, data, is_sound, transaction, unit, function, address, count)
    if function in REGISTER_FUNCTIONS and len(pdu) == 3 + pdu[2] and pdu[2] % 2 == 0:
        words = tuple(int.from_bytes(pdu[at : at + 2], "big") for at in range(3, len(pdu), 2))
        is_asked_for = request is None or request.count == len(words)
        address = address if is_asked_for else None
        values = _values(profile, function, address, words) if profile and address is not None else ()
        return InspectedFrame(
            Direction.ANSWER, data, is_sound, transaction, unit, function, address, len(words), None, words, values
        )
    return InspectedFrame(Direction.UNKNOWN, data, is_sound, transaction, unit, function)


def _values(profile: Profile, function: int, address: int, words: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """The profile's registers that stand whole in the answer."""
    span = Span(function, address, len(words))
    return tuple(
        (spec.name, _shown(spec, words[spec.address - address : spec.span.end - address]))
        for spec in profile.registers
        if span.covers(spec.span)
    )


def _shown(spec: RegisterSpec, words: Sequence[int]) -> str:
    try:
        value = decode_measurement(spec, words)
    except UnableToDecode as why:
        return str(why)
    return "none" if value is None else f"{value:f} {spec.unit}"
