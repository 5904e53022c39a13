"""Many records as columns: where each one lies in the bytes that were read, and no Python object a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from connectors.file_log.frame import HEADER_BYTES, Record

COLUMNS: Final = 7
"""Rows of a table of places: offset, next_offset, append_ms, key_start, key_end, payload_start, payload_end."""

Ints = NDArray[np.int64]


class PlacedRecords:
    """Records in `data`; the arrays have one element a record.

    `offset` and `next_offset` are byte positions in its partition, `append_ms` is milliseconds since 1970-01-01 UTC, and the others are
    positions in `data`.
    """

    __slots__ = ("data", "places")

    def __init__(self, data: bytes, places: Ints) -> None:
        """`places` has the arrays as its rows, in the order of `COLUMNS`."""
        self.data = data
        self.places = places

    @property
    def offset(self) -> Ints:
        return self.places[0]

    @property
    def next_offset(self) -> Ints:
        return self.places[1]

    @property
    def append_ms(self) -> Ints:
        return self.places[2]

    @property
    def key_start(self) -> Ints:
        return self.places[3]

    @property
    def key_end(self) -> Ints:
        return self.places[4]

    @property
    def payload_start(self) -> Ints:
        return self.places[5]

    @property
    def payload_end(self) -> Ints:
        return self.places[6]

    def __len__(self) -> int:
        return int(self.places.shape[1])

    def record_in(self, partition: int, at: int) -> Record:
        """One of them as a record of its own, given its partition."""
        offset, next_offset, append_ms, key_start, key_end, payload_start, payload_end = self.places[:, at].tolist()
        key, payload = self.data[key_start:key_end], self.data[payload_start:payload_end]
        return Record(partition, offset, next_offset, append_ms, key, payload)


class Frames(PlacedRecords, Sequence[Record]):
    """Records of one partition, in order. A slice shares the bytes and the arrays."""

    __slots__ = ("partition",)

    def __init__(self, partition: int, data: bytes, places: Ints) -> None:
        super().__init__(data, places)
        self.partition = partition

    @classmethod
    def of_records(cls, partition: int, data: bytes, data_offset: int, records: Sequence[Record]) -> Frames:
        """The records that were decoded from `data`, which begins at `data_offset` of the partition."""
        places = np.empty((COLUMNS, len(records)), np.int64)
        for at, record in enumerate(records):
            key_start = record.offset - data_offset + HEADER_BYTES
            key_end = key_start + len(record.key)
            places[:, at] = (
                record.offset, record.next_offset, record.append_ms, key_start, key_end, key_end,
                record.next_offset - data_offset,
            )  # fmt: skip
        return cls(partition, data, places)

    def record(self, at: int) -> Record:
        """One of them as a record of its own."""
        return self.record_in(self.partition, at)

    def __iter__(self) -> Iterator[Record]:
        partition, data = self.partition, self.data
        for offset, next_offset, append_ms, key_start, key_end, payload_start, payload_end in self.places.T.tolist():
            key, payload = data[key_start:key_end], data[payload_start:payload_end]
            yield Record(partition, offset, next_offset, append_ms, key, payload)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Frames: ...
    def __getitem__(self, at: int | slice) -> Record | Frames:
        """A record, or the Frames of a slice without a step."""
        if isinstance(at, slice):
            if at.step not in (None, 1):
                raise ValueError("frames are sliced without a step")
            return Frames(self.partition, self.data, self.places[:, at])
        return self.record(at)


class JoinedFrames(PlacedRecords):
    """Records of several partitions in an order of their own: `partition` is one more array."""

    __slots__ = ("partition",)

    def __init__(self, data: bytes, places: Ints, partition: Ints) -> None:
        super().__init__(data, places)
        self.partition = partition

    @classmethod
    def of_runs(cls, runs: Sequence[Frames]) -> JoinedFrames:
        """Runs of a merged order laid end to end; there is at least one, and none is empty. The bytes of several are copied together."""
        partition = np.repeat([run.partition for run in runs], [len(run) for run in runs])
        if len(runs) == 1:
            return cls(runs[0].data, runs[0].places, partition)
        pieces, places, size = [], [], 0
        for run in runs:
            start, end = int(run.key_start[0]), int(run.payload_end[-1])
            pieces.append(memoryview(run.data)[start:end])
            moved = run.places.copy()
            moved[3:] += size - start  # the positions in data
            places.append(moved)
            size += end - start
        return cls(b"".join(pieces), np.concatenate(places, axis=1), partition)

    def record(self, at: int) -> Record:
        """One of them as a record of its own."""
        return self.record_in(int(self.partition[at]), at)
