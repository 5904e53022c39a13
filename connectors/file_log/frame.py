"""One record as bytes.

    u32 payload length | u32 crc32 | i64 append_ms | u16 key length | key | payload        (little-endian, 18 bytes of header)

The crc covers everything after itself: append_ms, key length, key and payload. The payload length needs no cover of its own: a wrong
one moves the end of what the crc is taken over.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

HEADER = struct.Struct("<IIqH")
HEADER_BYTES = HEADER.size
_CRC_FROM = 8  # within a frame: the bytes the crc is taken over start here
_STAMP = struct.Struct("<qH")

MAX_KEY_BYTES = 1024
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
MAX_FRAME_BYTES = HEADER_BYTES + MAX_KEY_BYTES + MAX_PAYLOAD_BYTES

# The year 10889. Two zero bytes at the top of every stamp let a search for frames skip through text quickly (see `repair`).
APPEND_MS_LIMIT = 1 << 48


class Record(NamedTuple):
    """One appended record. A tuple rather than a dataclass: a reader makes a million of them a second.

    `offset` and `next_offset` are byte positions in the partition; `append_ms` is milliseconds since 1970-01-01 UTC.
    """

    partition: int
    offset: int
    next_offset: int
    append_ms: int
    key: bytes
    payload: bytes


def partition_of(key: bytes, partitions: int) -> int:
    """The partition a key belongs to: crc32 modulo the count, which is librdkafka's `consistent` partitioner.

    Kafka's Java default (murmur2) places keys elsewhere; producers of the deployed mode must name `consistent`.
    """
    return zlib.crc32(key) % partitions


def encode_frame(append_ms: int, key: bytes, payload: bytes) -> bytes:
    """The frame of a record; the bounds are the caller's to check (`LogWriter.append` does)."""
    return b"".join((encode_header(append_ms, key, payload), key, payload))


def encode_header(append_ms: int, key: bytes, payload: bytes) -> bytes:
    """The frame of a record as far as its key, which follows, and then the payload: neither is copied for it."""
    crc = zlib.crc32(payload, zlib.crc32(key, zlib.crc32(_STAMP.pack(append_ms, len(key)))))
    return HEADER.pack(len(payload), crc, append_ms, len(key))


def frame_bytes(data: bytes | memoryview, at: int) -> int:
    """How long the frame that starts at `at` says it is; its header must be whole."""
    payload_bytes, _, _, key_bytes = HEADER.unpack_from(data, at)
    return HEADER_BYTES + int(key_bytes) + int(payload_bytes)


def valid_frame(view: memoryview, at: int) -> tuple[int, int] | None:
    """(length, append_ms) of the whole, intact frame at `at`; None when there is none."""
    if at + HEADER_BYTES > len(view):
        return None
    payload_bytes, crc, append_ms, key_bytes = HEADER.unpack_from(view, at)
    length = HEADER_BYTES + key_bytes + payload_bytes
    if payload_bytes > MAX_PAYLOAD_BYTES or key_bytes > MAX_KEY_BYTES or at + length > len(view):
        return None
    if not 0 <= append_ms < APPEND_MS_LIMIT or zlib.crc32(view[at + _CRC_FROM : at + length]) != crc:
        return None
    return length, append_ms


def decode_frames(chunk: bytes, partition: int, chunk_offset: int, max_records: int) -> tuple[list[Record], bool]:
    """The whole records at the start of `chunk`, which begins at `chunk_offset` of the partition.

    Stops at `max_records` or at a frame the chunk does not hold whole. The second value says that what stopped
    it was a whole frame with a wrong crc.
    """
    records: list[Record] = []
    view, size, at = memoryview(chunk), len(chunk), 0
    unpack, crc32 = HEADER.unpack_from, zlib.crc32
    while len(records) < max_records and at + HEADER_BYTES <= size:
        payload_bytes, crc, append_ms, key_bytes = unpack(chunk, at)
        key_at = at + HEADER_BYTES
        payload_at = key_at + key_bytes
        end = payload_at + payload_bytes
        if end > size:
            break
        if crc32(view[at + _CRC_FROM : end]) != crc:
            return records, True
        record = Record(
            partition, chunk_offset + at, chunk_offset + end, append_ms, chunk[key_at:payload_at], chunk[payload_at:end]
        )
        records.append(record)
        at = end
    return records, False
