"""From frame to frame in compiled code: `frame.decode_frames` as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.file_log.crc import crc32
from connectors.file_log.frame import HEADER_BYTES
from connectors.file_log.frames import COLUMNS, Ints
from state.compiling import compiled, compiled_with_arrays

_CRC_FROM = 8


@compiled_with_arrays
def walk(data: NDArray[np.uint8], data_offset: int, max_records: int) -> tuple[Ints, bool]:
    """The places (see `Frames`) of the whole records at the start of `data`, which begins at `data_offset` of the partition.

    Stops at `max_records` or at a frame that `data` does not hold whole. The second value says that what stopped it was a whole
    frame with a wrong crc.
    """
    size = data.size
    places = np.empty((COLUMNS, min(max_records, size // HEADER_BYTES)), np.int64)
    count, at, damaged = 0, 0, False
    while count < max_records and at + HEADER_BYTES <= size:
        key_start = at + HEADER_BYTES
        payload_start = key_start + _little_endian(data, at + 16, 2)
        end = payload_start + _little_endian(data, at, 4)
        if end > size:
            break
        if crc32(data, at + _CRC_FROM, end) != _little_endian(data, at + 4, 4):
            damaged = True
            break
        places[0, count] = data_offset + at
        places[1, count] = data_offset + end
        places[2, count] = _little_endian(data, at + 8, 8)
        places[3, count] = key_start
        places[4, count] = payload_start
        places[5, count] = payload_start
        places[6, count] = end
        count += 1
        at = end
    return places[:, :count].copy(), damaged


@compiled
def _little_endian(data: NDArray[np.uint8], at: int, width: int) -> int:
    """An integer of `width` bytes; one of eight is signed."""
    found: Any = np.int64(0)
    for byte in range(width):
        found |= np.int64(data[at + byte]) << 8 * byte
    return found
