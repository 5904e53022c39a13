"""Reading one partition forward from any offset, or one record by its coordinates."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from connectors.file_log.frame import HEADER_BYTES, MAX_FRAME_BYTES, Record, decode_frames, frame_bytes
from connectors.file_log.frames import Frames
from connectors.file_log.topic import Topic, open_topic, read_committed
from state.compiling import Worth

READ_RECORDS = 10_000
READ_BYTES = 1024 * 1024
_COLUMNS = Worth("connectors.file_log.walk.walk", few=16 * 1024, many=4 * 1024 * 1024)
"""In bytes: a small log is decoded record by record, without the compiler."""

_Found = TypeVar("_Found", bound=Sequence[Record])
_Decode = Callable[[bytes, int, int, int], tuple[_Found, bool]]
"""(chunk, partition, offset of the chunk, most records) to the whole records at its start, and whether a damaged one follows."""


class UnableToRead(Exception):
    """There is no intact record where one must be; the message names the file and the offset."""


class LogReader:
    """A position in one partition that moves forward. Sees what is acknowledged, also while a writer goes on."""

    def __init__(self, directory: Path | str, partition: int, offset: int = 0) -> None:
        """`offset` is one a record was given, or a `next_offset`. Raises UnableToOpenTopic, or UnableToRead beyond the end."""
        self.topic = open_topic(directory)
        self.partition = partition
        self.offset = offset
        self._end = _committed_ends(self.topic, partition)[partition]
        self._path = self.topic.log_path(partition)
        if not 0 <= offset <= self._end:
            raise UnableToRead(f"{self._path}: offset {offset} is outside the log, which ends at {self._end}")
        try:
            self._descriptor: int | None = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise UnableToRead(f"{self._path}: missing; restore the file from a copy") from None

    def read(
        self, max_records: int = READ_RECORDS, max_bytes: int = READ_BYTES, end_offset: int | None = None
    ) -> list[Record]:
        """The next records; empty when there are none yet. Raises UnableToRead at a damaged one, after those before it.

        Stops at `max_records`, near `max_bytes` of file (one record is given however long it is), and at `end_offset`, which must be an
        acknowledged end and defaults to the present one.
        """
        return self._read(decode_frames, [], max_records, max_bytes, end_offset)

    def read_frames(
        self, max_records: int = READ_RECORDS, max_bytes: int = READ_BYTES, end_offset: int | None = None
    ) -> Frames:
        """As `read`, with the same stops and errors, but as columns."""
        return self._read(
            _decode_columns, Frames.of_records(self.partition, b"", 0, []), max_records, max_bytes, end_offset
        )

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _present_end(self) -> int:
        if self.offset >= self._end:
            self._end = _committed_ends(self.topic, self.partition)[self.partition]
        return self._end

    def _read(
        self, decode: _Decode[_Found], nothing: _Found, max_records: int, max_bytes: int, end_offset: int | None
    ) -> _Found:
        end = self._present_end() if end_offset is None else end_offset
        if self.offset >= end or max_records < 1:
            return nothing
        wanted = min(max(max_bytes, HEADER_BYTES), end - self.offset)
        found, damaged = decode(self._bytes_here(wanted), self.partition, self.offset, max_records)
        if not found and not damaged and wanted < end - self.offset:
            whole = min(self._first_frame_bytes(), end - self.offset)
            found, damaged = decode(self._bytes_here(whole), self.partition, self.offset, 1)
        if not found:
            raise UnableToRead(
                f"{self._path}: no valid record at offset {self.offset}, below the acknowledged end {end}"
            )
        self.offset = found[-1].next_offset
        return found

    def _first_frame_bytes(self) -> int:
        return min(frame_bytes(self._bytes_here(HEADER_BYTES), 0), MAX_FRAME_BYTES)

    def _bytes_here(self, wanted: int) -> bytes:
        if self._descriptor is None:
            raise UnableToRead(f"{self._path}: this reader is closed")
        found = os.pread(self._descriptor, wanted, self.offset)
        if len(found) < wanted:
            raise UnableToRead(f"{self._path}: ends at {self.offset + len(found)}, below its acknowledged end")
        return found


def _decode_columns(chunk: bytes, partition: int, chunk_offset: int, max_records: int) -> tuple[Frames, bool]:
    """As `decode_frames`."""
    if not _COLUMNS.of(len(chunk)):
        records, damaged = decode_frames(chunk, partition, chunk_offset, max_records)
        return Frames.of_records(partition, chunk, chunk_offset, records), damaged
    from connectors.file_log.walk import walk  # here, as it loads the compiler, which takes half a second

    places, damaged = walk(np.frombuffer(chunk, np.uint8), chunk_offset, max_records)
    return Frames(partition, chunk, places), damaged


def read_at(directory: Path | str, partition: int, offset: int) -> Record:
    """The record with these coordinates; UnableToRead when no record starts there."""
    with LogReader(directory, partition, offset) as reader:
        records = reader.read(max_records=1, max_bytes=16 * 1024)
    if not records:
        raise UnableToRead(f"{directory}: partition {partition} ends at offset {offset}; no record starts there yet")
    return records[0]


def end_offsets(directory: Path | str) -> tuple[int, ...]:
    """The acknowledged end of every partition, all of one instant: a cut of the topic between two flushes."""
    return _committed_ends(open_topic(directory))


def _committed_ends(topic: Topic, partition: int = 0) -> tuple[int, ...]:
    if not 0 <= partition < topic.partitions:
        raise UnableToRead(f"{topic.directory}: no partition {partition}; there are {topic.partitions}")
    committed = read_committed(topic)
    if committed is None:
        raise UnableToRead(
            f"{topic.committed_path}: missing or unreadable; opening the topic for writing makes it anew from the log"
        )
    return committed.ends
