"""One record that waits to be published, and its bytes in the outbox, which explain themselves.

    magic (4 bytes) | u32 length of the body | u32 crc32 of the body | body        (little-endian)
    body of an entry: [sequence, kind, topic, key, device, from, to, read_id, ordinal, lost, why] as JSON, a line feed, the payload

Every row of the outbox carries such a frame beside the columns that find it. So damage is seen whatever it hit, and rows are found
again in what is left of a file that SQLite does not open.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from mmap import mmap
from typing import Final

import orjson

_HEADER: Final = struct.Struct("<4sII")
WAITING: Final = b"\xf9mfw"
KEPT: Final = b"\xf9mfk"
DEVICE: Final = b"\xf9mfd"
MEMORY: Final = b"\xf9mfm"
_MAGICS: Final = (WAITING, KEPT, DEVICE, MEMORY)
_STEM: Final = b"\xf9mf"
MAX_BODY_BYTES: Final = 1 << 20


class Kind(IntEnum):
    """What an entry is; when room is short, lower goes first, and a gap never goes."""

    AGAIN = 0
    """A read that was delivered before and was asked for again."""
    TELEMETRY = 1
    STATUS = 2
    READ = 3
    GAP = 4


class UnableToReadFrame(ValueError):
    """The bytes are no whole frame, or not those that were written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with what the outbox must know of it.

    [from_ms, to_ms) is the interval that a read closes, or the time that a gap speaks of; null for what has none. `ordinal` counts
    reads without a hole (0: no read), so that a lost one is noticed. `lost` and `why` belong to gaps: how many records (0: not known).
    """

    sequence: int
    kind: Kind
    topic: str
    key: str
    device: str
    payload: bytes
    from_ms: int | None = None
    to_ms: int | None = None
    read_id: str | None = None
    ordinal: int = 0
    lost: int = 0
    why: str = ""


def frame_of(magic: bytes, body: bytes) -> bytes:
    """A body with its header."""
    return _HEADER.pack(magic, len(body), zlib.crc32(body)) + body


def body_of(frame: bytes | mmap, at: int = 0) -> tuple[bytes, bytes]:
    """(magic, body) of the frame at a position; `UnableToReadFrame` if none stands there, whole."""
    if at + _HEADER.size > len(frame):
        raise UnableToReadFrame("the bytes end inside a header")
    magic, length, crc = _HEADER.unpack_from(frame, at)
    body = bytes(frame[at + _HEADER.size : at + _HEADER.size + length]) if length <= MAX_BODY_BYTES else b""
    if magic not in _MAGICS or len(body) != length or zlib.crc32(body) != crc:
        raise UnableToReadFrame("the bytes are not those that were written")
    return magic, body


def entry_frame(entry: Entry, is_kept: bool = False) -> bytes:
    """The entry as bytes."""
    head = [
        entry.sequence, entry.kind, entry.topic, entry.key, entry.device, entry.from_ms, entry.to_ms, entry.read_id,
        entry.ordinal, entry.lost, entry.why,
    ]  # fmt: skip
    return frame_of(KEPT if is_kept else WAITING, orjson.dumps(head) + b"\n" + entry.payload)


def entry_of(body: bytes) -> Entry:
    """The entry in a body of `entry_frame`."""
    head, _, payload = body.partition(b"\n")
    sequence, kind, topic, key, device, from_ms, to_ms, read_id, ordinal, lost, why = orjson.loads(head)
    return Entry(
        sequence, Kind(kind), topic, key, device, payload, from_ms, to_ms, read_id, ordinal, lost, why
    )  # fmt: skip


def frames_in(data: bytes | mmap) -> Iterator[tuple[bytes, bytes]]:
    """(magic, body) of every whole frame that stands anywhere in some bytes."""
    at = data.find(_STEM)
    while at >= 0:
        with suppress(UnableToReadFrame):
            yield body_of(data, at)
        at = data.find(_STEM, at + 1)
