"""Frames made by array code, complete but for their stamp and crc, which only the writer can give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.file_log.crc import crc32
from connectors.file_log.frame import HEADER_BYTES, MAX_KEY_BYTES, MAX_PAYLOAD_BYTES
from connectors.texts import Texts
from state.compiling import compiled, compiled_with_arrays

Ints = NDArray[np.int64]


class PreparedFrames(Sequence[tuple[int, bytes, bytes]]):
    """Frames by partition, in order within each; as a sequence: (partition, key, payload) of one after the other.

    `data`: the frames back to back, with their lengths. Frame i is data[starts[i]:starts[i + 1]]; those of partition p are first[p] up
    to first[p + 1].
    """

    __slots__ = ("data", "first", "starts")

    def __init__(self, data: NDArray[np.uint8], starts: Ints, first: Ints) -> None:
        self.data = data
        self.starts = starts
        self.first = first

    @property
    def partitions(self) -> int:
        return len(self.first) - 1

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._entry(place) for place in range(*at.indices(len(self)))]
        return self._entry(range(len(self))[at])

    def __iter__(self) -> Iterator[tuple[int, bytes, bytes]]:
        return map(self._entry, range(len(self)))

    def sealed(self, partition: int, append_ms: int) -> memoryview:
        """The frames of a partition with this stamp and their crc."""
        low, high = int(self.first[partition]), int(self.first[partition + 1])
        _seal(self.data, self.starts[low : high + 1], append_ms)
        return self.data[self.starts[low] : self.starts[high]].data

    def out_of_bounds(self) -> tuple[int, bytes, bytes] | None:
        """The first whose key or payload is longer than the log takes."""
        at = int(_out_of_bounds(self.data, self.starts))
        return None if at < 0 else self._entry(at)

    def _entry(self, at: int) -> tuple[int, bytes, bytes]:
        start, end = int(self.starts[at]) + HEADER_BYTES, int(self.starts[at + 1])
        key_end = start + int(self.data[start - 2]) + 256 * int(self.data[start - 1])
        partition = int(np.searchsorted(self.first, at, "right")) - 1
        return partition, self.data[start:key_end].tobytes(), self.data[key_end:end].tobytes()


def framed(key: bytes, texts: Texts) -> PreparedFrames:
    """Frames of a topic of one partition: of each text, in order, with this key."""
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(texts.ends - texts.starts + (HEADER_BYTES + len(key)), out=starts[1:])
    data = np.empty(int(starts[-1]), np.uint8)
    _frame(data, starts, np.frombuffer(key, np.uint8), texts.data, texts.starts)
    return PreparedFrames(data, starts, np.array([0, len(texts)], np.int64))


@compiled_with_arrays
def _frame(
    data: NDArray[np.uint8], starts: Ints, key: NDArray[np.uint8], texts: NDArray[np.uint8], text_starts: Ints
) -> None:
    for at in range(text_starts.size):
        key_at = starts[at] + HEADER_BYTES
        text_at = key_at + key.size
        length = starts[at + 1] - text_at
        put_little_endian(data, starts[at], length, 4)
        put_little_endian(data, starts[at] + 16, key.size, 2)
        data[key_at:text_at] = key
        data[text_at : text_at + length] = texts[text_starts[at] : text_starts[at] + length]


@compiled
def _seal(data: NDArray[np.uint8], starts: Ints, append_ms: int) -> None:
    """Write the stamp and the crc of every frame."""
    for at in range(starts.size - 1):
        start = starts[at]
        put_little_endian(data, start + 8, append_ms, 8)
        put_little_endian(data, start + 4, crc32(data, start + 8, starts[at + 1]), 4)


@compiled
def put_little_endian(data: NDArray[np.uint8], at: int, number: Any, width: int) -> None:
    """Write the lower bytes of an integer."""
    for byte in range(width):
        data[at + byte] = number >> 8 * byte & 255


@compiled
def _out_of_bounds(data: NDArray[np.uint8], starts: Ints) -> int:
    for at in range(starts.size - 1):
        start = starts[at]
        key_bytes = data[start + 16] + 256 * np.int64(data[start + 17])
        if key_bytes > MAX_KEY_BYTES or starts[at + 1] - start - HEADER_BYTES - key_bytes > MAX_PAYLOAD_BYTES:
            return at
    return -1
