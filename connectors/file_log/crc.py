"""CRC-32 for compiled code: what zlib.crc32 says, eight bytes at a time (the slicing-by-8 method)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from state.compiling import compiled

_POLYNOMIAL: Final = 0xEDB88320  # of zlib, bits reversed


def _tables() -> NDArray[np.uint32]:
    """Row n: what a byte does to the crc when n further bytes follow it."""
    rows = np.zeros((8, 256), np.int64)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        rows[0, byte] = crc
    for row in range(1, 8):
        rows[row] = rows[row - 1] >> 8 ^ rows[0][rows[row - 1] & 255]
    return rows.astype(np.uint32)


_TABLES: Final = _tables()


@compiled
def crc32(data: NDArray[np.uint8], start: int, end: int) -> np.int64:
    """The crc of data[start:end], as zlib.crc32 gives it. The bounds are the caller's to check."""
    # All in int64, where 32 bits are never negative: of uint64 and int64 together Numba makes a float.
    crc = np.int64(0xFFFFFFFF)
    at = start
    while at + 8 <= end:
        crc ^= (
            np.int64(data[at])
            | np.int64(data[at + 1]) << 8
            | np.int64(data[at + 2]) << 16
            | np.int64(data[at + 3]) << 24
        )
        crc = (
            np.int64(_TABLES[7, crc & 255])
            ^ np.int64(_TABLES[6, crc >> 8 & 255])
            ^ np.int64(_TABLES[5, crc >> 16 & 255])
            ^ np.int64(_TABLES[4, crc >> 24])
            ^ np.int64(_TABLES[3, data[at + 4]])
            ^ np.int64(_TABLES[2, data[at + 5]])
            ^ np.int64(_TABLES[1, data[at + 6]])
            ^ np.int64(_TABLES[0, data[at + 7]])
        )
        at += 8
    while at < end:
        crc = crc >> 8 ^ np.int64(_TABLES[0, (crc ^ np.int64(data[at])) & 255])
        at += 1
    return crc ^ 0xFFFFFFFF
