"""All partitions of a topic as one sequence, ordered by (append_ms, partition, offset).

The order is a function of what the log holds. It can be left and taken up again at any vector of next offsets, and it holds while
following a growing topic: the ends are moved a whole flush at a time, and every flush is stamped above those before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from connectors.file_log.frame import Record
from connectors.file_log.frames import Frames
from connectors.file_log.reader import READ_RECORDS, LogReader, UnableToRead, end_offsets

_BYTES_AHEAD = 256 * 1024  # read ahead for each partition


@dataclass(frozen=True, slots=True)
class MergedBatch:
    """Records in merged order, and the vector of offsets from which the sequence goes on after them."""

    records: list[Record]
    next_offsets: tuple[int, ...]


class MergedReader:
    """A position in the merged order that moves forward; `next_offsets` is all it takes to come back to it."""

    def __init__(self, directory: Path | str, starts: Sequence[int], ends: Sequence[int] | None = None) -> None:
        """From `starts` up to `ends`; without `ends` it follows what is acknowledged. Raises UnableToRead for other than whole vectors."""
        self._directory = directory
        self._follows = ends is None
        present = end_offsets(directory)
        self._ends = present if ends is None else tuple(ends)
        if len(starts) != len(present) or len(self._ends) != len(present):
            raise UnableToRead(f"{directory}: the topic has {len(present)} partitions; give one offset for each")
        if any(not 0 <= start <= end <= last for start, end, last in zip(starts, self._ends, present, strict=True)):
            raise UnableToRead(
                f"{directory}: from {tuple(starts)} to {self._ends} is not within the log's ends {present}"
            )
        self._next = list(starts)
        self._readers = [LogReader(directory, partition, start) for partition, start in enumerate(starts)]
        self._ahead = [Frames.of_records(partition, b"", 0, []) for partition in range(len(starts))]
        self._taken = [0] * len(starts)

    @property
    def next_offsets(self) -> tuple[int, ...]:
        """For each partition, the offset after the last record given."""
        return tuple(self._next)

    def read(self, max_records: int = READ_RECORDS) -> list[Record]:
        """The next records in merged order; empty when there are none yet, or no more."""
        return [record for run in self.read_frames(max_records) for record in run]

    def read_frames(self, max_records: int = READ_RECORDS, max_bytes: int | None = None) -> list[Frames]:
        """The next records in merged order, as runs that each lie in one partition; empty as `read`.

        Ends with the run that reaches `max_bytes` of file, if that is sooner than `max_records`.
        """
        if self._follows and tuple(self._next) == self._ends:
            self._ends = end_offsets(self._directory)
        heads = [head for partition in range(len(self._next)) if (head := self._head(partition))]
        heapify(heads)
        runs: list[Frames] = []
        room, room_bytes = max_records, max_bytes
        while heads and room > 0 and (room_bytes is None or room_bytes > 0):
            _, partition = heappop(heads)
            run = self._take_run(partition, heads[0] if heads else None, room)
            runs.append(run)
            next_offset = int(run.next_offset[-1])
            room -= len(run)
            if room_bytes is not None:
                room_bytes -= next_offset - self._next[partition]
            self._next[partition] = next_offset
            if head := self._head(partition):
                heappush(heads, head)
        return runs

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _head(self, partition: int) -> tuple[int, int] | None:
        """Where this partition's next record stands in the order, reading ahead when needed; None at its end."""
        if self._taken[partition] == len(self._ahead[partition]):
            reader, end = self._readers[partition], self._ends[partition]
            self._ahead[partition] = reader.read_frames(max_bytes=_BYTES_AHEAD, end_offset=end)
            self._taken[partition] = 0
            if not self._ahead[partition]:
                return None
        return int(self._ahead[partition].append_ms[self._taken[partition]]), partition

    def _take_run(self, partition: int, before: tuple[int, int] | None, room: int) -> Frames:
        """The records of one partition that come before the next other partition's head: at least one, at most `room`."""
        ahead, first = self._ahead[partition], self._taken[partition]
        last = len(ahead)
        if before is not None:
            append_ms, other = before
            last = int(np.searchsorted(ahead.append_ms, append_ms, "right" if partition < other else "left"))
        self._taken[partition] = last = max(min(last, first + room), first + 1)
        return ahead[first:last]


def merged_read(
    directory: Path | str,
    starts: Sequence[int],
    ends: Sequence[int] | None = None,
    batch_records: int = READ_RECORDS,
) -> Iterator[MergedBatch]:
    """The merged order from `starts` to `ends` (default: what is acknowledged now), in batches of at most `batch_records`.

    The batches laid end to end are the same whatever `batch_records` is. `ends` that are not ends of records give UnableToRead
    when they are reached.
    """
    fixed_ends = end_offsets(directory) if ends is None else ends
    with MergedReader(directory, starts, fixed_ends) as reader:
        while records := reader.read(batch_records):
            yield MergedBatch(records, reader.next_offsets)
