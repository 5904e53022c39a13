"""Frames whose meaning is known: a profile that decodes them otherwise is wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pymodbus.framer import FramerRTU

from edge_collector.profile import GoldenFrame, IdentityRole, Profile, Span
from edge_collector.words import UnableToDecode, decode_identity, decode_measurement

NO_VALUE = "none"
"""How a golden value says that the words hold no number or no text."""


class UnableToReadFrame(Exception):
    """Bytes that are no RTU frame of a register read; the message says why."""


def request_span(frame: bytes) -> tuple[int, Span]:
    """(unit, what is asked) of an RTU request. Raises UnableToReadFrame."""
    body = _without_checksum(frame)
    if len(body) != 6 or body[1] not in (3, 4):
        raise UnableToReadFrame("the request is no read of registers (function 3 or 4)")
    unit, function, address, count = struct.unpack(">BBHH", body)
    return unit, Span(function, address, count)


def response_words(frame: bytes) -> tuple[int, int, tuple[int, ...]]:
    """(unit, function, words) of an RTU answer. Raises UnableToReadFrame."""
    body = _without_checksum(frame)
    if len(body) < 3 or body[1] not in (3, 4) or body[2] != len(body) - 3 or body[2] % 2:
        raise UnableToReadFrame("the response is no answer with registers, or not as long as it says")
    return body[0], body[1], struct.unpack(f">{body[2] // 2}H", body[3:])


def golden_faults(profile: Profile, frame: GoldenFrame) -> Iterator[str]:
    """What does not agree between a frame and its profile, each a clause."""
    try:
        unit, span = request_span(frame.request)
        answering_unit, function, words = response_words(frame.response)
    except UnableToReadFrame as problem:
        yield str(problem)
        return
    if (unit, span.function, span.count) != (answering_unit, function, len(words)):
        yield "the response is not for the request"
        return
    if not frame.values:
        yield "says no value"
    for name, expected in frame.values.items():
        try:
            found = golden_value(profile, frame, name)
        except (KeyError, ValueError, UnableToDecode) as problem:
            yield f"{name} cannot be read from it ({problem})"
        else:
            if found != expected:
                yield f"{name} reads {found}, not {expected}"


def golden_value(profile: Profile, frame: GoldenFrame, name: str) -> str:
    """What the frame says of a register or an identity role, as text. KeyError and ValueError when it is not in it."""
    _, asked = request_span(frame.request)
    _, _, words = response_words(frame.response)
    identity = profile.identity_of(IdentityRole(name)) if name in set(IdentityRole) else None
    wanted = identity or profile.register(name)
    if not asked.covers(wanted.span):
        raise ValueError("outside the request")
    start = wanted.span.address - asked.address
    own = words[start : start + wanted.span.count]
    value = (
        decode_identity(identity, own)
        if identity
        else decode_measurement(profile.register(name), own, frame.scale_words)
    )
    return NO_VALUE if value is None else f"{value:f}" if not isinstance(value, str) else value


def _without_checksum(frame: bytes) -> bytes:
    if len(frame) < 4:
        raise UnableToReadFrame("a frame has at least 4 bytes")
    right = FramerRTU.compute_CRC(frame[:-2]).to_bytes(2, "big")
    if frame[-2:] != right:
        raise UnableToReadFrame(f"the checksum is {frame[-2:].hex(' ')}, but should be {right.hex(' ')}")
    return frame[:-2]
